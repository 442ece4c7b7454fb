#include "pipeline/redrive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/base.h"
#include "pipeline/pipeline.h"
#include "sql/json_writer.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;

class RowCount : public sql::QueryOutput {
 public:
  Result<void> columns(const schema::Columns&) override { return {}; }
  Result<void> rows(const sql::Rows& rows) override {
    count += static_cast<int64_t>(rows.count);
    return {};
  }
  int64_t count = 0;
};

// A source and a table that refuse the users of some nations, by what the test's file says.
class RedriveTest : public testing::Test {
 protected:
  RedriveTest() : folder_(fs::path(testing::TempDir()) / ("redrive_" + to_string(random_uuid()))) {
    fs::create_directories(folder_);
    write("user.schema.json", R"({"type": "object", "properties": {
      "login": {"type": "object", "properties": {"uuid": {"type": "string", "format": "uuid"}}},
      "nat": {"type": "string"}}})");
  }
  ~RedriveTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
  }

  // `score`: SQL that the source cannot make a number of for the nations it is to refuse.
  void write_pipeline(const std::string& score, const std::string& expect) {
    write("p.yaml", fmt::format(R"(name: users
sources:
  users:
    http: {{url: "sample://randomuser/api/?results=100&seed=s", every: 0ms, page: {{}}}}
    for: 0s
    items: results
    schema: user.schema.json
    to: created
    select: SELECT login.uuid AS id, nat, CAST({} AS INTEGER) AS score FROM users
topics:
  created: {{key: id, partitions: 3}}
tables:
  ks.users:
    primary_key: id
    from: SELECT * FROM created
    expect:
      rule: {}
)",
                                score, expect));
  }

  std::unique_ptr<Instance> open() {
    auto instance = Instance::open({.data_dir = path("data")}, logger_, clock_);
    EXPECT_TRUE(instance) << instance.error().message();
    return instance ? *std::move(instance) : nullptr;
  }
  spec::Pipeline pipeline() {
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    EXPECT_TRUE(loaded && loaded->ok());
    return loaded->pipeline;
  }
  // Ready to redrive by the file as it is.
  std::unique_ptr<Instance> prepared() {
    auto instance = open();
    auto done = instance->prepare(pipeline());
    EXPECT_TRUE(done) << done.error().message();
    return instance;
  }
  Status run_once() {
    auto instance = open();
    EXPECT_TRUE(instance->start(pipeline(), true));
    EXPECT_TRUE(instance->wait_until_finished({}));
    EXPECT_TRUE(instance->stop());
    return checked(*instance);
  }

  static Status checked(Instance& instance) {
    auto status = instance.status();
    for (const auto& source : status.sources)
      EXPECT_EQ(source.items, source.records + source.filtered + source.dead_letters);
    for (const auto& table : status.tables) EXPECT_TRUE(table.balanced());
    return status;
  }
  static DeadLetterFilter of(std::string node, std::string rule = "", std::string stage = "") {
    return {.node = std::move(node), .rule = std::move(rule), .stage = std::move(stage)};
  }
  // All steps of one redrive.
  static Redriven redrive_all(Instance& instance, const DeadLetterFilter& filter) {
    Redriven all;
    std::optional<DeadLetterPosition> at;
    do {
      auto step = redrive(instance, filter, at);
      EXPECT_TRUE(step) << step.error().message();
      if (!step) break;
      all.add(std::move(step->done));
      at = step->next;
    } while (at);
    return all;
  }
  static std::vector<DeadLetter> letters(Instance& instance, const std::string& node,
                                         bool closed_too = false) {
    return list_dead_letters(instance, of(node), closed_too, 10'000)->newest;
  }
  static int64_t count(Instance& instance, const std::string& sql) {
    RowCount output;
    EXPECT_TRUE(query(instance, sql, output));
    return output.count;
  }

  fs::path folder_;
  Logger logger_{LogFormat::kText, LogLevel::kError};
  io::SystemClock clock_;
};

TEST_F(RedriveTest, ATableTakesItsDeadLettersByTheChangedFileOnce) {
  write_pipeline("0", "nat <> 'GB'");
  auto refused = run_once().tables[0].dead_letters;
  ASSERT_GT(refused, 0);
  write_pipeline("0", "nat <> 'XX'");
  for (int round = 0; round < 2; ++round) {
    auto instance = prepared();
    auto done = redrive_all(*instance, of("ks.users"));
    EXPECT_EQ(done.written, round == 0 ? refused : 0);
    EXPECT_EQ(done.filtered + done.not_open + static_cast<int64_t>(done.failing.size()), 0);
    ASSERT_TRUE(instance->stop());
    auto table = checked(*instance).tables[0];
    EXPECT_EQ(table.written, 100);
    EXPECT_EQ(table.dead_letters, 0);
    EXPECT_EQ(table.redriven, refused);
    EXPECT_TRUE(letters(*instance, "ks.users").empty());
    EXPECT_EQ(letters(*instance, "ks.users", true).size(), static_cast<size_t>(refused));
    EXPECT_EQ(count(*instance, "SELECT * FROM ks.users"), 100);
  }
}

TEST_F(RedriveTest, ASourceTakesItsDeadLettersByTheChangedFileOnce) {
  write_pipeline("CASE WHEN nat = 'GB' THEN 'many' ELSE '1' END", "true");
  auto refused = run_once().sources[0].dead_letters;
  ASSERT_GT(refused, 0);
  write_pipeline("CASE WHEN nat = 'GB' THEN '2' ELSE '1' END", "true");
  for (int round = 0; round < 2; ++round) {
    auto instance = prepared();
    EXPECT_EQ(redrive_all(*instance, of("users")).written, round == 0 ? refused : 0);
    auto source = checked(*instance).sources[0];
    EXPECT_EQ(source.records, 100);
    EXPECT_EQ(source.dead_letters, 0);
    EXPECT_EQ(source.redriven, refused);
    EXPECT_TRUE(letters(*instance, "users").empty());
    EXPECT_EQ(count(*instance, "SELECT * FROM created"), 100);
    EXPECT_EQ(count(*instance, "SELECT * FROM created WHERE score = 2"), refused);
  }
  auto status = run_once();
  EXPECT_EQ(status.sources[0].redriven, refused);
  EXPECT_EQ(status.tables[0].written, 200);
}

TEST_F(RedriveTest, WhatFailsAgainStaysAndWhatIsFilteredIsCounted) {
  write_pipeline("0", "nat NOT IN ('GB', 'US', 'FR')");
  auto refused = run_once().tables[0].dead_letters;
  write_pipeline("0", "nat NOT IN ('GB')");
  auto text = *io::system_disk().read_file(path("p.yaml"), 10'000);
  auto at = text.find("FROM created");
  write("p.yaml", text.insert(at + 12, " WHERE nat <> 'FR'"));
  auto instance = prepared();
  auto done = redrive_all(*instance, of("ks.users"));
  EXPECT_GT(done.written, 0);
  EXPECT_GT(done.filtered, 0);
  ASSERT_GT(done.failing.size(), 0U);
  EXPECT_THAT(done.failing[0].error, testing::HasSubstr("expect rule"));
  EXPECT_EQ(done.count(), refused);
  auto table = checked(*instance).tables[0];
  EXPECT_EQ(table.dead_letters, static_cast<int64_t>(done.failing.size()));
  EXPECT_EQ(letters(*instance, "ks.users").size(), done.failing.size());
}

TEST_F(RedriveTest, AnEditedRecordIsTakenInThePlaceOfTheOldOne) {
  write_pipeline("0", "nat <> 'GB'");
  run_once();
  auto instance = prepared();
  auto letter = letters(*instance, "ks.users")[0];
  const std::string addresses[] = {letter.address()};
  auto edited = letter.value.value_or("");
  edited.replace(edited.find("\"GB\""), 4, "\"G2\"");
  auto unchanged = redrive(*instance, addresses, std::nullopt);
  ASSERT_TRUE(unchanged);
  EXPECT_EQ(unchanged->failing.size(), 1U);
  EXPECT_EQ(redrive(*instance, addresses, edited)->written, 1);
  EXPECT_EQ(redrive(*instance, addresses, edited)->not_open, 1);
  EXPECT_EQ(count(*instance, "SELECT * FROM ks.users WHERE nat = 'G2'"), 1);
  EXPECT_FALSE(find_dead_letter(*instance, letter.address())->is_open);
  checked(*instance);
}

TEST_F(RedriveTest, ARecordThatCameLaterWins) {
  write_pipeline("0", "nat <> 'GB'");
  run_once();
  auto old_run = open();
  auto letter = letters(*old_run, "ks.users")[0];
  old_run.reset();
  // The same user again, with another nation: the row that was refused is older.
  write_pipeline("0", "true");
  auto text = *io::system_disk().read_file(path("p.yaml"), 10'000);
  text.replace(text.find("login.uuid AS id, nat"), 21, "login.uuid AS id, 'later' AS nat");
  text.replace(text.find(", page: {}"), 10, "");
  write("p.yaml", text);
  run_once();
  auto instance = prepared();
  const std::string addresses[] = {letter.address()};
  EXPECT_EQ(redrive(*instance, addresses, std::nullopt)->written, 1);
  EXPECT_EQ(count(*instance, "SELECT * FROM ks.users WHERE nat = 'GB'"), 0);
  checked(*instance);
}

TEST_F(RedriveTest, OnlyWhatTheFilterLetsThrough) {
  write_pipeline("0", "nat <> 'GB'");
  auto refused = run_once().tables[0].dead_letters;
  write_pipeline("0", "true");
  auto instance = prepared();
  EXPECT_EQ(redrive_all(*instance, of("ks.users", "another")).count(), 0);
  EXPECT_EQ(redrive_all(*instance, of("ks.users", "", "sql")).count(), 0);
  auto groups = list_dead_letters(*instance, of(""), false, 1)->groups;
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].open, refused);
  EXPECT_EQ(redrive_all(*instance, of("ks.users", "rule", "expect")).written, refused);
  auto unknown = redrive(*instance, of("ks.user"), std::nullopt);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message(), testing::HasSubstr("did you mean 'ks.users'?"));
}

TEST_F(RedriveTest, APageThatNeverCameIsNoRedrive) {
  write_pipeline("CASE WHEN nat = 'GB' THEN 'many' ELSE '1' END", "true");
  auto before = run_once().sources[0];
  write_pipeline("'2'", "true");
  {
    auto instance = prepared();
    auto topic = instance->log().find_topic("created");
    auto ledger = SourceLedger::load({&io::system_disk(), path("data/sources")}, *topic, 0);
    ASSERT_TRUE(ledger);
    OffsetSet all;
    for (int64_t i = 0; i < before.dead_letters; ++i) all.add(i);
    ASSERT_TRUE(ledger->name(all));  // and then a crash
  }
  auto instance = prepared();
  EXPECT_EQ(checked(*instance).sources[0].dead_letters, before.dead_letters);
  EXPECT_EQ(redrive_all(*instance, of("users")).written, before.dead_letters);
}

TEST_F(RedriveTest, AtRestTheLettersOfEveryTopicThatASourceFedAreOpen) {
  write_pipeline("CASE WHEN nat = 'GB' THEN 'many' ELSE '1' END", "true");
  auto first = run_once().sources[0].dead_letters;
  auto text = *io::system_disk().read_file(path("p.yaml"), 10'000);
  text.resize(text.find("tables:"));
  text.replace(text.find("to: created"), 11, "to: later");
  text.replace(text.find("created:"), 8, "later:");
  write("p.yaml", text);
  auto sources = run_once().sources;
  ASSERT_EQ(sources.size(), 2U);
  auto open_letters = sources[0].dead_letters + sources[1].dead_letters;
  EXPECT_GT(open_letters, first);
  auto instance = open();
  EXPECT_EQ(std::ssize(letters(*instance, "users")), open_letters);
}

TEST_F(RedriveTest, AnUnreadableCursorIsSaid) {
  write_pipeline("'1'", "true");
  run_once();
  fs::create_directories(path("data/sources"));
  write("data/sources/created.json", "nonsense");
  auto status = open()->status();
  ASSERT_EQ(status.sources.size(), 1U);
  EXPECT_EQ(status.sources[0].topic, "created");
  EXPECT_THAT(status.sources[0].error, testing::HasSubstr("created.json"));
}

TEST(OffsetSetTest, IsASet) {
  OffsetSet set;
  std::vector<bool> wanted(200);
  for (int64_t i = 0; i < 150; ++i) {
    int64_t offset = i * i * 7 % 200;
    set.add(offset);
    wanted[static_cast<size_t>(offset)] = true;
    ASSERT_EQ(set.size(), std::ranges::count(wanted, true));
  }
  OffsetSet read;
  ASSERT_TRUE(read.parse(set.to_json()));
  for (size_t i = 0; i < wanted.size(); ++i)
    EXPECT_EQ(read.contains(static_cast<int64_t>(i)), wanted[i]) << i;
}

}  // namespace
}  // namespace millrace::pipeline
