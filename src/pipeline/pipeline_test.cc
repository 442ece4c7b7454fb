#include "pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/base.h"
#include "io/io.h"
#include "sql/json_writer.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;

// Collects an answer as JSON objects.
class Answer : public sql::QueryOutput {
 public:
  Result<void> columns(const schema::Columns& columns) override {
    writer_.emplace(columns);
    return {};
  }
  Result<void> rows(const sql::Rows& rows) override {
    for (size_t i = 0; i < rows.count; ++i) {
      json.emplace_back();
      writer_->append(rows, i, json.back());
    }
    return {};
  }
  std::vector<std::string> json;

 private:
  std::optional<sql::JsonWriter> writer_;
};

class PipelineTest : public testing::Test {
 protected:
  PipelineTest()
      : folder_(fs::path(testing::TempDir()) /
                fmt::format("pipeline_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kError) {
    fs::create_directories(folder_);
    write("user.schema.json", R"({"type": "object", "properties": {
      "login": {"type": "object", "properties": {"uuid": {"type": "string", "format": "uuid"}}},
      "nat": {"type": "string"},
      "location": {"type": "object",
                   "properties": {"postcode": {"type": ["integer", "string"]}}}}})");
  }
  ~PipelineTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
  }

  // A file with this many partitions, rows of `select` and these rules.
  void write_pipeline(int partitions, const std::string& where = "",
                      const std::string& expect = "nat <> 'XX'") {
    write("p.yaml", fmt::format(R"(name: users
sources:
  users:
    http:
      url: sample://randomuser/api/?results=100&seed=s
      every: 0ms
      page: {{}}
    for: 0s
    items: results
    schema: user.schema.json
    to: created
    select: SELECT login.uuid AS id, nat, location.postcode AS postcode FROM users {}
topics:
  created: {{key: id, partitions: {}}}
tables:
  ks.users:
    primary_key: id
    from: SELECT * FROM created
    expect:
      rule: {}
)",
                                where, partitions, expect));
  }

  // Puts other text into the file that write_pipeline() wrote.
  void replace(const std::string& from, const std::string& to) {
    auto text = *io::read_file(path("p.yaml"), 100'000);
    auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    write("p.yaml", text.replace(at, from.size(), to));
  }

  std::unique_ptr<Instance> open() {
    auto instance = Instance::open({.data_dir = path("data")}, logger_, clock_);
    EXPECT_TRUE(instance) << instance.error().message();
    return instance ? *std::move(instance) : nullptr;
  }

  // One `once` run; its status after it.
  Status run_once() {
    auto instance = open();
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    EXPECT_TRUE(loaded && loaded->ok());
    for (const auto& problem : loaded->problems) ADD_FAILURE() << problem.message;
    auto started = instance->start(loaded->pipeline, true);
    EXPECT_TRUE(started) << started.error().message();
    auto finished = instance->wait_until_finished({});
    EXPECT_TRUE(finished) << finished.error().message();
    auto status = instance->status();
    for (const auto& table : status.tables) {
      EXPECT_TRUE(table.balanced()) << table.name;
      EXPECT_EQ(table.waiting, 0);
    }
    EXPECT_TRUE(instance->stop());
    return status;
  }

  std::vector<std::string> query(Instance& instance, const std::string& sql) {
    Answer answer;
    auto done = pipeline::query(instance, sql, answer);
    EXPECT_TRUE(done) << done.error().message();
    return answer.json;
  }

  std::vector<DeadLetter> letters_of(Instance& instance, const std::string& node,
                                     bool closed_too = false) {
    auto list =
        list_dead_letters(instance, {.node = node, .rule = "", .stage = ""}, closed_too, 1'000);
    EXPECT_TRUE(list) << list.error().message();
    return list ? list->newest : std::vector<DeadLetter>();
  }

  fs::path folder_;
  Logger logger_;
  io::SystemClock clock_;
};

TEST_F(PipelineTest, RunsFromSourceToTable) {
  write_pipeline(1);
  auto status = run_once();
  EXPECT_EQ(status.tables[0].written, 100);
  auto instance = open();
  EXPECT_EQ(query(*instance, "SELECT count(*) AS n FROM ks.users")[0], R"({"n":100})");
  EXPECT_EQ(query(*instance, "SELECT count(*) AS n FROM created")[0], R"({"n":100})");
  EXPECT_EQ(
      query(*instance,
            "SELECT count(*) AS n FROM created c JOIN ks.users u USING (id, nat, postcode)")[0],
      R"({"n":100})");
}

TEST_F(PipelineTest, TheNextRunGoesOnAtTheNextPage) {
  write_pipeline(4);
  run_once();
  auto status = run_once();
  EXPECT_EQ(status.sources[0].pages, 2);
  EXPECT_EQ(status.sources[0].items, 200);
  EXPECT_EQ(status.tables[0].written, 200);
  auto instance = open();
  EXPECT_EQ(query(*instance, "SELECT count(*) AS n FROM ks.users")[0], R"({"n":200})");
  EXPECT_EQ(describe_topic(*instance, "created")->partitions.size(), 4u);
}

TEST_F(PipelineTest, CountsFilteredAndDeadLetters) {
  write_pipeline(2, "WHERE nat <> 'US'", "nat <> 'GB'");
  auto status = run_once();
  const auto& source = status.sources[0];
  const auto& table = status.tables[0];
  EXPECT_EQ(source.items, source.records + source.filtered + source.dead_letters);
  EXPECT_GT(source.filtered, 0);
  EXPECT_GT(table.dead_letters, 0);
  auto instance = open();
  auto letters = letters_of(*instance, "ks.users");
  ASSERT_EQ(letters.size(), static_cast<size_t>(table.dead_letters));
  EXPECT_EQ(letters[0].rule, "rule");
  EXPECT_EQ(letters[0].from_topic, "created");
  EXPECT_NE(letters[0].value->find("\"GB\""), std::string::npos);
  EXPECT_EQ(find_dead_letter(*instance, letters[0].address())->value, letters[0].value);
  EXPECT_FALSE(find_dead_letter(*instance, "ks.users/0/99999"));
  EXPECT_FALSE(find_dead_letter(*instance, "nonsense"));
  // Refused records are on the way in for the table at rest as well.
  auto at_rest = instance->status();
  EXPECT_TRUE(at_rest.tables[0].balanced());
  EXPECT_EQ(at_rest.sources[0].items, source.items);
  auto tapped = tap(*instance, "ks.users", 100);
  ASSERT_TRUE(tapped) << tapped.error().message();
  EXPECT_TRUE(std::ranges::any_of(*tapped, [](auto& t) { return !t.failure.empty(); }));
  EXPECT_TRUE(std::ranges::any_of(*tapped, [](auto& t) { return !t.rows.empty(); }));
}

TEST_F(PipelineTest, ReplayAfterLosingTheStoreDoublesNoDeadLetter) {
  write_pipeline(2, "", "nat <> 'GB'");
  auto before = run_once();
  fs::remove_all(path("data/store"));
  auto after = run_once();
  EXPECT_EQ(after.tables[0].written + after.tables[0].dead_letters, 200);
  auto instance = open();
  EXPECT_EQ(letters_of(*instance, "ks.users").size(),
            static_cast<size_t>(after.tables[0].dead_letters));
}

TEST_F(PipelineTest, AHalfWrittenPageIsTakenBack) {
  write_pipeline(4);
  run_once();
  auto instance = open();
  auto* topic = instance->log().find_topic("created");
  // As if the crash had come before the last partition was written.
  auto& last = topic->partition(PartitionId(3));
  ASSERT_GT(last.end_offset().value, 0);
  ASSERT_TRUE(last.truncate(Offset(0)));
  fs::remove_all(path("data/store_unused"));
  instance.reset();
  fs::remove_all(path("data/store"));
  auto status = run_once();
  EXPECT_EQ(status.sources[0].pages, 1);
  EXPECT_EQ(status.tables[0].records_in, 100);
}

// Whoever opens the data directory, whether its file has the source or not.
TEST_F(PipelineTest, NobodySeesAHalfWrittenPage) {
  write_pipeline(4);
  replace(", location.postcode AS postcode", "");
  auto whole = *io::read_file(path("p.yaml"), 100'000);
  write("p.yaml", whole.substr(0, whole.find("tables:")));
  run_once();
  auto instance = open();
  ASSERT_TRUE(instance->log().find_topic("created")->partition(PartitionId(3)).truncate(Offset(0)));
  instance.reset();

  auto looking = Instance::open({.data_dir = path("data"), .read_only = true}, logger_, clock_);
  ASSERT_TRUE(looking) << looking.error().message();
  EXPECT_EQ((*looking)->status().topics[0].records, 0);
  EXPECT_EQ(query(**looking, "SELECT count(*) AS n FROM created")[0], R"({"n":0})");
  looking->reset();

  whole.erase(whole.find("sources:"), whole.find("topics:") - whole.find("sources:"));
  write("p.yaml", whole);
  replace("partitions: 4", "partitions: 4, schema: row.schema.json");
  write("row.schema.json", R"({"properties": {
    "id": {"type": "string", "format": "uuid"}, "nat": {"type": "string"}}})");
  EXPECT_EQ(run_once().tables[0].records_in, 0);
}

TEST_F(PipelineTest, DeadLettersHaveTheirNamesForThemselves) {
  write_pipeline(1);
  replace("created: {key: id",
          "other.dead_letters: {schema: user.schema.json}\n  created: {key: id");
  auto loaded = spec::load(path("p.yaml"), spec::process_variables());
  ASSERT_TRUE(loaded->ok());
  auto engine = sql::Engine::open({});
  std::vector<spec::Problem> problems;
  make_plan(**engine, loaded->pipeline, problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0].message, testing::HasSubstr("'other.dead_letters'"));
  EXPECT_EQ(problems[0].severity, spec::Problem::Severity::kError);
}

TEST_F(PipelineTest, ARecordThatIsNoDeadLetterIsNotTakenForOne) {
  write_pipeline(1, "", "nat <> 'GB'");
  run_once();
  auto instance = open();
  record::BatchBuilder batch;
  const std::vector<record::Header> headers = {{"__connect.errors.partition", "x"},
                                               {"__connect.errors.offset", "0"}};
  batch.append(1, std::nullopt, "{}", headers);
  auto* topic = instance->log().find_topic(dead_letters_topic("ks.users"));
  ASSERT_TRUE(topic->partition(PartitionId(0)).append(batch.finish()));
  auto list = list_dead_letters(*instance, {.node = "ks.users", .rule = "", .stage = ""}, true, 9);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(list.error().message(), testing::HasSubstr("is no dead letter"));
}

TEST_F(PipelineTest, PlanNamesThePlaceOfWhatIsWrong) {
  auto problems_of = [&](const std::string& from, const std::string& to) {
    write_pipeline(1);
    auto text = *io::read_file(path("p.yaml"), 100'000);
    auto at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    write("p.yaml", text.replace(at, from.size(), to));
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    EXPECT_TRUE(loaded->ok());
    auto engine = sql::Engine::open({});
    std::vector<spec::Problem> problems;
    make_plan(**engine, loaded->pipeline, problems);
    EXPECT_FALSE(problems.empty()) << to;
    return problems.empty() ? ""
                            : fmt::format("{}:{} {}", problems[0].place.line,
                                          problems[0].place.column, problems[0].message);
  };
  EXPECT_THAT(problems_of("location.postcode", "location.postcod"), testing::HasSubstr("postcod"));
  EXPECT_EQ(problems_of("key: id", "key: di").substr(0, 38),
            "14:18 topic created has no column 'di'");
  EXPECT_THAT(
      problems_of("FROM created", "FROM creatde"),
      testing::HasSubstr("18:25 there is no topic 'creatde' to read; did you mean 'created'?"));
  EXPECT_THAT(problems_of("primary_key: id", "primary_key: idd"),
              testing::HasSubstr("did you mean 'id'?"));
  EXPECT_THAT(problems_of("rule: nat <>", "rule: natt <>"), testing::HasSubstr("20:13"));
}

TEST_F(PipelineTest, AChangedKeyOrPartitionCountIsRefused) {
  write_pipeline(2);
  run_once();
  write_pipeline(3);
  auto instance = open();
  auto loaded = spec::load(path("p.yaml"), spec::process_variables());
  auto started = instance->start(loaded->pipeline, true);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(started.error().message(), testing::HasSubstr("has 2 partitions"));
}

TEST_F(PipelineTest, AnItemMayBecomeSeveralRecords) {
  write_pipeline(1);
  replace("SELECT login.uuid AS id", "SELECT unnest(['a', 'b']) || login.uuid::VARCHAR AS id");
  auto status = run_once();
  EXPECT_EQ(status.sources[0].items, 100);
  EXPECT_EQ(status.sources[0].records, 100);
  EXPECT_EQ(status.tables[0].records_in, 200);
}

TEST_F(PipelineTest, AKeyThatIsTooLongIsThatRecordsError) {
  write_pipeline(1);
  replace("SELECT login.uuid AS id",
          "SELECT repeat(CASE WHEN nat = 'GB' THEN 'x' ELSE '' END, 65536) || login.uuid::VARCHAR "
          "AS id");
  auto status = run_once();
  EXPECT_GT(status.tables[0].dead_letters, 0);
  EXPECT_GT(status.tables[0].written, 0);
  auto instance = open();
  EXPECT_EQ(letters_of(*instance, "ks.users")[0].rule, kPrimaryKeyRule);
}

TEST_F(PipelineTest, AnotherSourceDoesNotGoOnAtTheOldOnesPage) {
  write_pipeline(1);
  run_once();
  replace("sources:\n  users:", "sources:\n  people:");
  replace("FROM users", "FROM people");
  auto instance = open();
  auto loaded = spec::load(path("p.yaml"), spec::process_variables());
  auto started = instance->start(loaded->pipeline, true);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(started.error().message(), testing::HasSubstr("was fed by source users"));
}

TEST_F(PipelineTest, ASecondProcessIsRefused) {
  auto first = open();
  auto second = Instance::open({.data_dir = path("data")}, logger_, clock_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kConflict);
}

}  // namespace
}  // namespace millrace::pipeline
