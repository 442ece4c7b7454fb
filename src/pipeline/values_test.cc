// What records from elsewhere do to a table: erase rows, and give them a time to live.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/base.h"
#include "io/io.h"
#include "pipeline/pipeline.h"
#include "pipeline/plan.h"
#include "sql/test_rows.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kNowS = 1'700'000'000;

struct Put {
  std::optional<std::string> key;
  std::optional<std::string> value;
  int64_t timestamp_ms = kNowS * 1'000;
};

class ValuesTest : public testing::Test {
 protected:
  ValuesTest()
      : folder_(fs::path(testing::TempDir()) / fmt::format("values_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kError) {
    fs::create_directories(folder_);
    write("person.schema.json", R"({"type": "object", "properties": {
      "land": {"type": "string"}, "id": {"type": "integer"}, "name": {"type": "string"},
      "days": {"type": ["integer", "null"]}}})");
  }
  ~ValuesTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
  }

  // A topic `people` with this key, and tables as the file has them.
  void write_pipeline(const std::string& key, const std::string& tables) {
    write("p.yaml", fmt::format("name: values\ntopics:\n  people: {{key: {}, schema: "
                                "person.schema.json}}\ntables:\n{}",
                                key, tables));
  }

  spec::Pipeline load() {
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    EXPECT_TRUE(loaded) << loaded.error().message();
    for (const auto& problem : loaded->problems) ADD_FAILURE() << problem.message;
    return loaded->pipeline;
  }
  static std::vector<DeadLetter> letters_of(Instance& instance) {
    auto list =
        list_dead_letters(instance, {.node = "ks.people", .rule = "", .stage = ""}, false, 10);
    EXPECT_TRUE(list) << list.error().message();
    return list ? list->newest : std::vector<DeadLetter>();
  }

  std::unique_ptr<Instance> open() {
    auto instance = Instance::open({.data_dir = path("data")}, logger_, clock_);
    EXPECT_TRUE(instance) << instance.error().message();
    return *std::move(instance);
  }

  // Runs until the tables have these records too; the first table's numbers.
  TableStatus run(const std::vector<Put>& records) {
    auto instance = open();
    auto started = instance->start(load(), true);
    EXPECT_TRUE(started) << started.error().message();
    if (!records.empty()) {
      record::BatchBuilder batch;
      for (const auto& [key, value, timestamp_ms] : records) batch.append(timestamp_ms, key, value);
      auto& partition = instance->log().find_topic("people")->partition(PartitionId(0));
      EXPECT_TRUE(partition.append(batch.finish()));
    }
    auto finished = instance->wait_until_finished({});
    EXPECT_TRUE(finished) << finished.error().message();
    auto status = instance->status().tables.at(0);
    EXPECT_TRUE(status.balanced());
    EXPECT_EQ(status.waiting, 0);
    EXPECT_TRUE(instance->stop());
    return status;
  }

  std::vector<std::string> query(const std::string& sql) {
    auto instance = open();
    sql::JsonAnswer answer;
    auto done = pipeline::query(*instance, sql, answer);
    EXPECT_TRUE(done) << done.error().message();
    return answer.json;
  }

  std::vector<std::string> problems() {
    auto engine = sql::Engine::open({});
    std::vector<spec::Problem> problems;
    make_plan(**engine, load(), problems);
    std::vector<std::string> lines;
    for (const auto& problem : problems)
      lines.push_back(fmt::format("{} {}:{} {}",
                                  problem.severity == spec::Problem::Severity::kError ? "E" : "W",
                                  problem.place.line, problem.place.column, problem.message));
    return lines;
  }

  fs::path folder_;
  Logger logger_;
  io::ManualClock clock_{kNowS * 1'000'000};
};

constexpr const char* kTable =
    "  ks.people:\n    primary_key: [country, id]\n"
    "    from: SELECT id, land AS country, name FROM people WHERE name <> 'hidden'\n";

TEST_F(ValuesTest, ARecordWithoutAValueErasesItsKeysRow) {
  write_pipeline("[id, land]", kTable);
  auto status = run({{"[1,\"de\"]", R"({"id":1,"land":"de","name":"a"})"},
                     {"[2,\"de\"]", R"({"id":2,"land":"de","name":"b"})"},
                     {"[1,\"fr\"]", R"({"id":1,"land":"fr","name":"hidden"})"},
                     {"[1,\"de\"]", std::nullopt},
                     {"[7,\"de\"]", std::nullopt}});
  EXPECT_EQ(status.written, 4);
  EXPECT_EQ(status.filtered, 1);
  EXPECT_THAT(query("SELECT * FROM ks.people"),
              ElementsAre(R"({"id":2,"country":"de","name":"b"})"));
  // An older record does not bring the row back, a newer one does, within one millisecond too.
  status = run({{"[1,\"de\"]", R"({"id":1,"land":"de","name":"old"})", kNowS * 1'000 - 1}});
  EXPECT_EQ(status.written, 5);
  EXPECT_THAT(query("SELECT count(*) AS n FROM ks.people"), ElementsAre(R"({"n":1})"));
  run({{"[2,\"de\"]", std::nullopt}, {"[2,\"de\"]", R"({"id":2,"land":"de","name":"new"})"}});
  EXPECT_THAT(query("SELECT name FROM ks.people"), ElementsAre(R"({"name":"new"})"));
  // The same again, from the beginning.
  fs::remove_all(path("data/store"));
  EXPECT_EQ(run({}).written, 7);
  EXPECT_THAT(query("SELECT name FROM ks.people"), ElementsAre(R"({"name":"new"})"));
}

TEST_F(ValuesTest, WhatWasRefusedDoesNotBringBackARowThatWasErasedAfterIt) {
  const std::string table = "  ks.people: {primary_key: id, from: 'SELECT id, name FROM people'";
  write_pipeline("id", table + ", expect: {rule: \"name = 'good'\"}}\n");
  auto status = run({{"1", R"({"id":1,"name":"bad"})"},
                     {"2", R"({"id":2,"name":"good"})"},
                     {"1", std::nullopt},
                     {"2", std::nullopt},
                     {"2", R"({"id":2,"name":"also bad"})"}});
  EXPECT_EQ(status.dead_letters, 2);
  write_pipeline("id", table + "}\n");
  auto instance = open();
  ASSERT_TRUE(instance->prepare(load()));
  for (const auto& letter : letters_of(*instance))
    ASSERT_EQ(redrive(*instance, std::array{letter.address()}, std::nullopt)->written, 1);
  ASSERT_TRUE(instance->stop());
  instance.reset();
  EXPECT_THAT(query("SELECT * FROM ks.people"), ElementsAre(R"({"id":2,"name":"also bad"})"));
}

TEST_F(ValuesTest, AKeyThatIsNoneOfTheTablesIsADeadLetter) {
  write_pipeline("[id, land]", kTable);
  auto status = run({{"[1,\"de\"]", R"({"id":1,"land":"de","name":"a"})"},
                     {"[\"x\",\"de\"]", std::nullopt},
                     {"[1,\"\"]", std::nullopt},
                     {"nonsense", std::nullopt},
                     {std::nullopt, std::nullopt}});
  EXPECT_EQ(status.written, 1);
  EXPECT_EQ(status.dead_letters, 3);
  EXPECT_EQ(status.filtered, 1);
  auto instance = open();
  auto letters = letters_of(*instance);
  ASSERT_EQ(letters.size(), 3u);
  EXPECT_EQ(letters.at(0).stage, "decode");
  EXPECT_EQ(letters.at(0).key, "nonsense");
  EXPECT_THAT(letters.at(0).error, HasSubstr("key 'nonsense': expected a JSON array of 2 values"));
  EXPECT_EQ(letters.at(1).rule, kPrimaryKeyRule);
  EXPECT_THAT(letters.at(2).error, HasSubstr("id: expected BIGINT"));
}

TEST_F(ValuesTest, WhereTheKeyIsNotThePrimaryKeyNothingIsErasedAndThePlanSaysSo) {
  write_pipeline("id",
                 "  ks.people:\n    primary_key: id\n    from: SELECT id, name FROM people\n");
  EXPECT_THAT(problems(), IsEmpty());
  write_pipeline("id",
                 "  ks.people:\n    primary_key: id\n"
                 "    from: SELECT id + 1 AS id, name FROM people\n");
  EXPECT_THAT(problems(),
              ElementsAre("W 6:18 records of topic people without a value erase nothing "
                          "here, and count as filtered: its key is id, and 'id' of the "
                          "primary key is no column of that key"));
  auto status = run({{"1", R"({"id":1,"name":"a"})"}, {"1", std::nullopt}});
  EXPECT_EQ(status.filtered, 1);
  EXPECT_THAT(query("SELECT id FROM ks.people"), ElementsAre(R"({"id":2})"));
  write_pipeline("[id, land]", "  ks.people:\n    primary_key: id\n    from: FROM people\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("the primary key has fewer columns")));
}

TEST_F(ValuesTest, ARowLivesAsLongAsItsTtlFromItsRecordsTimestamp) {
  write_pipeline("id",
                 "  ks.people:\n    primary_key: id\n    from: SELECT id, name, days FROM people\n"
                 "    ttl: to_days(days::INTEGER)\n");
  constexpr int64_t kDay = 86'400;
  auto status = run({{"1", R"({"id":1,"days":2})"},
                     {"2", R"({"id":2,"days":null})"},
                     {"3", R"({"id":3,"days":2})", (kNowS - 2 * kDay) * 1'000},
                     {"4", R"({"id":4,"days":-1})"}});
  EXPECT_EQ(status.written, 3);
  EXPECT_EQ(status.dead_letters, 1);
  const std::string ids = "SELECT id FROM ks.people ORDER BY id";
  EXPECT_THAT(query(ids), ElementsAre(R"({"id":1})", R"({"id":2})"));
  clock_.advance(std::chrono::seconds(2 * kDay - 1));
  EXPECT_THAT(query(ids), ElementsAre(R"({"id":1})", R"({"id":2})"));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_THAT(query(ids), ElementsAre(R"({"id":2})"));
  EXPECT_THAT(query("SELECT count(*) AS n FROM ks.people"), ElementsAre(R"({"n":1})"));
  auto instance = open();
  EXPECT_EQ(letters_of(*instance).at(0).rule, "ttl");
  EXPECT_EQ(tap(*instance, "ks.people", 10)->back().failure,
            "expect ttl: a TTL is 1 to 630720000 seconds, not -86400");
}

TEST_F(ValuesTest, AnAvroTopicMakesTheRowsOfAJsonTopic) {
  auto run_as = [&](const std::string& format) {
    fs::remove_all(path("data"));
    write("p.yaml", fmt::format(R"(name: users
sources:
  users:
    http: {{url: "sample://randomuser/api/?results=300&seed=s&extras=1"}}
    items: results
    schema: user.schema.json
    to: people
    select: SELECT login.uuid AS id, name, dob.date AS born, location FROM users
topics:
  people: {{key: id, format: {}}}
tables:
  ks.people: {{primary_key: id, from: SELECT * FROM people, expect: {{title: name.title <> 'Ms'}}}}
)",
                                format));
    write("user.schema.json", R"({"type": "object", "properties": {
      "login": {"type": "object", "properties": {"uuid": {"type": "string", "format": "uuid"}}},
      "name": {"type": "object", "properties": {"title": {"type": "string"},
                                                "first": {"type": "string"}}},
      "dob": {"type": "object",
              "properties": {"date": {"type": "string", "format": "date-time"}}},
      "location": {"type": "object", "properties": {
        "postcode": {"type": ["integer", "string"]},
        "street": {"type": "object", "properties": {"number": {"type": "integer"}}}}}}})");
    auto status = run({});
    EXPECT_GT(status.dead_letters, 0);
    EXPECT_EQ(status.written + status.dead_letters, 300);
    auto rows = query("SELECT * FROM ks.people ORDER BY id");
    EXPECT_EQ(query("SELECT * FROM people WHERE name.title <> 'Ms' ORDER BY id"), rows);
    return rows;
  };
  auto json = run_as("json");
  auto avro = run_as("avro");
  EXPECT_EQ(avro, json);
  auto instance = open();
  EXPECT_EQ(describe_topic(*instance, "people")->format, "avro");
  EXPECT_THAT(*records(*instance, "people", {.limit = 1})->at(0).value, HasSubstr(R"("born":"19)"));
  EXPECT_THAT(*tap(*instance, "people", 1)->at(0).record.value, HasSubstr(R"("postcode":)"));
  EXPECT_THAT(*tap(*instance, "ks.people", 1)->at(0).record.value, HasSubstr(R"("postcode":)"));
}

TEST_F(ValuesTest, BytesThatAreNoAvroAreADeadLetter) {
  write("p.yaml",
        "name: values\ntopics:\n  people: {key: id, format: avro, schema: person.schema.json}\n"
        "tables:\n  ks.people: {primary_key: id, from: FROM people}\n");
  const std::string good("\0\0\0\0\1\2\4de\2\x0e\2\4me\2\0", 17);
  auto status =
      run({{"7", good}, {"8", "{\"id\":8}"}, {"9", good.substr(0, 9)}, {"7", "\0\0\0\0\5"}});
  EXPECT_EQ(status.written, 1);
  EXPECT_EQ(status.dead_letters, 3);
  EXPECT_THAT(query("SELECT id, name, days FROM ks.people"),
              ElementsAre(R"({"id":7,"name":"me","days":0})"));
  auto instance = open();
  auto letters = letters_of(*instance);
  ASSERT_EQ(letters.size(), 3u) << letters.back().error;
  EXPECT_EQ(letters.at(0).stage, "decode");
  EXPECT_THAT(letters.at(1).error, HasSubstr("bad Avro"));
  EXPECT_EQ(letters.at(1).value, good.substr(0, 9));
}

TEST_F(ValuesTest, ATtlThatIsNoneIsRefusedWithItsPlace) {
  write_pipeline("id",
                 "  ks.people:\n    primary_key: id\n    from: SELECT id FROM people\n"
                 "    ttl: 60 + nome\n");
  EXPECT_THAT(problems(), ElementsAre(HasSubstr("E 8:15 ttl: Referenced column \"nome\"")));
}

}  // namespace
}  // namespace millrace::pipeline
