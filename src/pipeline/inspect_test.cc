// Looks into topics and dead letters whose records are large.
#include "pipeline/inspect.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/base.h"
#include "io/io.h"
#include "pipeline/pipeline.h"
#include "topic/topic_definition.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;

class InspectTest : public testing::Test {
 protected:
  static constexpr size_t kMiB = size_t{1} << 20;

  InspectTest() : folder_(fs::path(testing::TempDir()) / ("inspect_" + to_string(random_uuid()))) {
    fs::create_directories(folder_);
    auto opened = Instance::open({.data_dir = folder_.string()}, logger_, clock_);
    EXPECT_TRUE(opened) << opened.error().message();
    instance_ = *std::move(opened);
  }
  ~InspectTest() override {
    instance_.reset();
    fs::remove_all(folder_);
  }

  log::Topic& make(const std::string& name, int32_t partitions) {
    auto topic = topic::open_topic(
        instance_->log(), {.name = name, .columns = {{"v", {}}}, .partitions = partitions});
    EXPECT_TRUE(topic) << topic.error().message();
    return **topic;
  }
  static void append(log::Topic& topic, int32_t partition, int64_t timestamp_ms, size_t bytes) {
    record::BatchBuilder batch;
    auto value = fmt::format(R"({{"v":"{}"}})", std::string(bytes, 'x'));
    // As a dead letter has them.
    const record::Header headers[] = {{"__connect.errors.partition", "0"},
                                      {"__connect.errors.offset", "0"}};
    batch.append(timestamp_ms, std::nullopt, value, headers);
    ASSERT_TRUE(topic.partition(PartitionId(partition)).append(batch.finish()));
  }
  std::vector<int64_t> times(const std::string& topic, const RecordsWanted& wanted) {
    auto found = records(*instance_, topic, wanted);
    EXPECT_TRUE(found) << found.error().message();
    std::vector<int64_t> times;
    for (const auto& record : *found) times.push_back(record.timestamp_ms);
    return times;
  }

  fs::path folder_;
  Logger logger_{LogFormat::kText, LogLevel::kError};
  io::SystemClock clock_;
  std::unique_ptr<Instance> instance_;
};

using Times = std::vector<int64_t>;

TEST_F(InspectTest, OneLookReturnsAboutSoManyBytesAndOneRecordAtLeast) {
  auto& topic = make("large", 2);
  for (int64_t i = 0; i < 12; ++i) append(topic, static_cast<int32_t>(i % 2), 1'000 + i, 3 * kMiB);
  static_assert(kLookBytes == 8 * kMiB);
  // The last ones, and the first ones.
  EXPECT_EQ(times("large", {.limit = 10}), (Times{1'010, 1'011}));
  EXPECT_EQ(times("large", {.from_offset = 0, .limit = 10}), (Times{1'000, 1'001}));
  EXPECT_EQ(times("large", {.partition = 1, .from_offset = 2, .limit = 10}), (Times{1'005, 1'007}));
  EXPECT_EQ(times("large", {.limit = 10, .bytes = 1}), Times{1'011});
  EXPECT_EQ(times("large", {.from_offset = 3, .limit = 10, .bytes = 1}), Times{1'006});
  EXPECT_EQ(times("large", {.limit = 2, .bytes = 100 * kMiB}), (Times{1'010, 1'011}));
  EXPECT_EQ(times("large", {.limit = 12, .bytes = 100 * kMiB}).size(), 12U);
}

TEST_F(InspectTest, AListLeavesOutTheOlderOfLargeRecords) {
  auto& topic = make("ks.people.dead_letters", 1);
  for (int64_t i = 0; i < 8; ++i) append(topic, 0, 1'000 + i, 3 * kMiB);
  auto list =
      list_dead_letters(*instance_, {.node = "ks.people", .rule = "", .stage = ""}, true, 7);
  ASSERT_TRUE(list) << list.error().message();
  ASSERT_EQ(list->newest.size(), 7U);
  EXPECT_EQ(list->groups.at(0).closed, 8);
  for (size_t i = 0; i < 7; ++i) {
    const auto& letter = list->newest[i];
    EXPECT_EQ(letter.offset, 7 - static_cast<int64_t>(i));
    EXPECT_EQ(letter.has_record, i < 5) << i;
    EXPECT_EQ(letter.value.has_value(), i < 5) << i;
    EXPECT_TRUE(find_dead_letter(*instance_, letter.address())->value);
  }
  EXPECT_FALSE(find_dead_letter(*instance_, "ks.people/0/8"));
  EXPECT_FALSE(find_dead_letter(*instance_, "ks.people/1/0"));
}

}  // namespace
}  // namespace millrace::pipeline
