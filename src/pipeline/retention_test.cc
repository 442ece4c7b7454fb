#include "pipeline/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "base/base.h"
#include "io/io.h"
#include "pipeline/instance.h"
#include "record/record.h"
#include "source/cursor.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSegmentBytes = 4'096;
constexpr int kRecords = 10;  // of a batch

// Shows what the test sets.
class WallClock final : public io::Clock {
 public:
  int64_t now_micros() override { return now_ms * 1'000; }
  int64_t monotonic_micros() override { return 0; }
  bool wait(std::chrono::milliseconds, std::stop_token) override { return false; }
  int64_t now_ms = 1'700'000'000'000;
};

class RetentionTest : public testing::Test {
 protected:
  static constexpr int64_t kMinuteMs = 60'000;

  RetentionTest()
      : folder_(fs::path(testing::TempDir()) /
                fmt::format("retention_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kWarning,
                [this](std::string_view line) { lines_ += line; }) {
    fs::create_directories(folder_);
    log_ = *log::Log::open(path("log"), logger_, {.segment_bytes = kSegmentBytes});
    topic_ = *log_->create_topic("t", 1, "{}");
    store_ = *store::Store::open(path("store"), logger_, {});
    table_ = *store_->create_table({.keyspace = "ks",
                                    .name = "t",
                                    .columns = {{"id", {schema::Kind::kBigInt}}},
                                    .partition_key = {"id"},
                                    .clustering_key = {},
                                    .metadata = ""});
    retention_.emplace(*store_, logger_, clock_);
    retention_->keep(*topic_, {.bytes = 1});
  }
  ~RetentionTest() override {
    store_.reset();
    log_.reset();
    fs::remove_all(folder_);
  }

  std::string path(const std::string& name) { return (folder_ / name).string(); }
  log::Partition& partition() { return topic_->partition(PartitionId(0)); }
  int64_t start() { return partition().start_offset().value; }
  int64_t end() { return partition().end_offset().value; }

  void append(int batches, std::string_view cursor = "", int64_t timestamp_ms = 0) {
    for (int i = 0; i < batches; ++i) {
      record::BatchBuilder builder;
      const std::vector<record::Header> headers = {{source::kCursorHeader, cursor}};
      for (int j = 1; j < kRecords; ++j) builder.append(timestamp_ms, "key", std::string(90, 'v'));
      builder.append(timestamp_ms, "key", "last",
                     cursor.empty() ? std::span<const record::Header>() : headers);
      ASSERT_TRUE(partition().append(builder.finish()));
    }
  }
  // The table has committed what is before `next`, in memory.
  void commit(int64_t next) {
    position_ = next;
    store::Batch batch;
    batch.set_progress(*table_, "t", PartitionId(0), {.next = Offset(next), .written = next});
    ASSERT_TRUE(store_->commit(batch));
  }
  void wait_for_table() {
    retention_->wait_for("ks.t", *topic_, [this](PartitionId) { return Offset(position_); });
  }

  const fs::path folder_;
  std::string lines_;
  Logger logger_;
  WallClock clock_;
  std::unique_ptr<log::Log> log_;
  log::Topic* topic_ = nullptr;
  std::unique_ptr<store::Store> store_;
  store::TablePtr table_;
  std::optional<Retention> retention_;
  int64_t position_ = 0;
};

TEST_F(RetentionTest, RecordsStayUntilTheTableHasTakenThem) {
  wait_for_table();
  append(40);
  ASSERT_TRUE(retention_->apply());
  EXPECT_EQ(start(), 0);
  EXPECT_EQ(retention_->waits_for("t"), "ks.t");
  commit(end() / 2);
  ASSERT_TRUE(retention_->apply());
  EXPECT_GT(start(), 0);
  EXPECT_LE(start(), end() / 2);
  commit(end());
  ASSERT_TRUE(retention_->apply());
  EXPECT_GT(start(), end() / 2);
  EXPECT_EQ(retention_->waits_for("t"), "");
}

TEST_F(RetentionTest, ATableThatIsWaitedForIsToldOnce) {
  wait_for_table();
  append(40);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(retention_->apply());
  EXPECT_THAT(lines_, testing::HasSubstr("retention waits"));
  EXPECT_EQ(lines_.find("retention waits"), lines_.rfind("retention waits"));
}

TEST_F(RetentionTest, WhatGoesIsBehindATablesPositionOnDisk) {
  wait_for_table();
  append(40);
  commit(end());
  ASSERT_TRUE(retention_->apply());
  ASSERT_GT(start(), 0);
  // As after kill -9: what the store has in memory only is gone.
  fs::copy(path("store"), path("killed"), fs::copy_options::recursive);
  auto killed = store::Store::open(path("killed"), logger_, {});
  ASSERT_TRUE(killed) << killed.error().message();
  auto progress = (*killed)->progress(*table_, "t", PartitionId(0));
  ASSERT_TRUE(progress && *progress);
  EXPECT_GE((*progress)->next.value, start());
}

TEST_F(RetentionTest, OfWhatIsOldOnlyWhatTheTableHasTakenGoesHoweverTheClockJumps) {
  Retention by_time(*store_, logger_, clock_);
  by_time.keep(*topic_, {.time = std::chrono::minutes(30)});
  by_time.wait_for("ks.t", *topic_, [this](PartitionId) { return Offset(position_); });
  append(20, "", clock_.now_ms - 31 * kMinuteMs);
  const int64_t young = end();
  append(20, "", clock_.now_ms - 29 * kMinuteMs);
  commit(end() - 100);

  ASSERT_TRUE(by_time.apply());
  EXPECT_GT(start(), 0);
  EXPECT_LE(start(), young);
  clock_.now_ms -= 60 * kMinuteMs;
  const int64_t kept = start();
  ASSERT_TRUE(by_time.apply());
  EXPECT_EQ(start(), kept);
  clock_.now_ms += 120 * kMinuteMs;
  ASSERT_TRUE(by_time.apply());
  EXPECT_GT(start(), young);
  EXPECT_LE(start(), position_);
}

TEST_F(RetentionTest, ADamagedPartitionKeepsNoOtherFromBeingCut) {
  auto* damaged = *log_->create_topic("damaged", 1, "{}");
  Retention both(*store_, logger_, clock_);
  both.keep(*damaged, {.bytes = 1});
  both.keep(*topic_, {.bytes = 1});
  std::swap(topic_, damaged);
  append(40);
  std::swap(topic_, damaged);
  append(40);
  for (const auto& file : fs::directory_iterator(path("log/damaged/0")))
    if (file.path().extension() == ".segment")
      std::fstream(file.path(), std::ios::in | std::ios::out) << std::string(200, 'x');
  auto applied = both.apply();
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code(), ErrorCode::kCorrupt);
  EXPECT_GT(start(), 0);
}

TEST_F(RetentionTest, ASourcesCursorStays) {
  append(1, "cursor");
  append(40);
  ASSERT_TRUE(retention_->apply());
  EXPECT_EQ(start(), 0);
  append(1, "cursor");
  append(1);
  ASSERT_TRUE(retention_->apply());
  EXPECT_GT(start(), 0);
  EXPECT_LE(start(), 41 * kRecords);
}

class InstanceRetentionTest : public testing::Test {
 protected:
  InstanceRetentionTest()
      : folder_(fs::path(testing::TempDir()) /
                fmt::format("retention_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kWarning,
                [this](std::string_view line) { lines_ += line; }) {
    fs::create_directories(folder_);
    auto written = io::write_file_atomic(path("user.schema.json"), R"({"type": "object",
      "properties": {"login": {"type": "object", "properties": {"uuid": {"type": "string"}}}}})");
    EXPECT_TRUE(written);
    written = io::write_file_atomic(path("p.yaml"), R"(name: users
sources:
  users:
    http: {url: "sample://randomuser/api/?results=100&seed=s", every: 0ms, page: {}}
    for: 0s
    items: results
    schema: user.schema.json
    to: created
    select: SELECT login.uuid AS id FROM users
topics:
  created: {key: id, partitions: 2, retention: 1B}
tables:
  ks.users: {primary_key: id, from: SELECT * FROM created}
)");
    EXPECT_TRUE(written);
  }
  ~InstanceRetentionTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) { return (folder_ / name).string(); }
  // One page in each run; its status after it.
  Status run_once() {
    auto instance =
        Instance::open({.data_dir = path("data"), .segment_bytes = kSegmentBytes}, logger_, clock_);
    EXPECT_TRUE(instance) << instance.error().message();
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    EXPECT_TRUE(loaded && loaded->ok());
    EXPECT_TRUE((*instance)->start(loaded->pipeline, true));
    EXPECT_TRUE((*instance)->wait_until_finished({}));
    auto status = (*instance)->status();
    EXPECT_TRUE(status.tables[0].balanced());
    EXPECT_TRUE((*instance)->stop());
    return status;
  }

  const fs::path folder_;
  std::string lines_;
  Logger logger_;
  io::SystemClock clock_;
};

TEST_F(InstanceRetentionTest, ATopicStaysSmallAndItsTableWhole) {
  for (int run = 1; run <= 6; ++run) {
    auto status = run_once();
    EXPECT_EQ(status.tables[0].written, run * 100);
    EXPECT_EQ(status.tables[0].removed, 0);
    EXPECT_LE(status.topics[0].records, 400);
    EXPECT_EQ(status.sources[0].pages, run);
  }
}

TEST_F(InstanceRetentionTest, ATableThatMissedRecordsSaysSoAndCountsThem) {
  for (int run = 0; run < 5; ++run) run_once();
  fs::remove_all(path("data/store"));
  auto status = run_once();
  EXPECT_GT(status.tables[0].removed, 0);
  EXPECT_EQ(status.tables[0].removed + status.tables[0].written, 600);
  EXPECT_THAT(lines_, testing::HasSubstr("retention removed records before this table read them"));
  // Once: it is behind them now.
  lines_.clear();
  auto after = run_once();
  EXPECT_EQ(after.tables[0].removed, status.tables[0].removed);
  EXPECT_EQ(lines_, "");
}

}  // namespace
}  // namespace millrace::pipeline
