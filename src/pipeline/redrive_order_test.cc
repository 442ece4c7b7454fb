// Dead letters that are taken late, in any order: the rows end as if none had been refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/base.h"
#include "pipeline/pipeline.h"
#include "sql/test_rows.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;

// Versions of few rows, all in one millisecond. `refusing` is what is tested; `whole` gets the same
// items and refuses none.
class RedriveOrderTest : public testing::TestWithParam<int> {
 protected:
  RedriveOrderTest()
      : folder_(fs::path(testing::TempDir()) / ("order_" + to_string(random_uuid()))) {
    fs::create_directories(folder_);
    std::ofstream(path("user.schema.json")) << R"({"type": "object", "properties": {
      "login": {"type": "object", "properties": {"uuid": {"type": "string"}}},
      "nat": {"type": "string"}}})";
  }
  ~RedriveOrderTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) { return (folder_ / name).string(); }

  // `number`: SQL that cannot be made a number of the items that the source is to refuse.
  // `is_taken`: of those that the table is not to. `where`: of all that are records.
  void write_pipeline(const std::string& number, const std::string& is_taken,
                      const std::string& where = "true") {
    auto source = [&](std::string_view name, std::string_view its_number) {
      return fmt::format(
          "  {0}:\n"
          "    http: {{url: 'sample://randomuser/api/?results=100&seed=s', every: 0ms, page: "
          "{{}}}}\n"
          "    for: 0s\n    items: results\n    schema: user.schema.json\n    to: {0}_users\n"
          "    select: SELECT left(login.uuid, 1) AS id, nat, login.uuid AS who, "
          "CAST({1} AS INTEGER) AS number FROM {0} WHERE {2}\n",
          name, its_number, where);
    };
    auto topic_and_table = [&](std::string_view name) {
      return fmt::format("  {0}_users: {{key: id, partitions: {1}}}\n", name, GetParam());
    };
    std::ofstream(path("p.yaml")) << fmt::format(
        "name: order\nsources:\n{}{}topics:\n{}{}tables:\n"
        "  ks.refusing:\n    primary_key: id\n    from: SELECT * FROM refusing_users\n"
        "    expect: {{rule: \"{}\"}}\n"
        "  ks.whole: {{primary_key: id, from: SELECT * FROM whole_users}}\n",
        source("refusing", number), source("whole", "0"), topic_and_table("refusing"),
        topic_and_table("whole"), is_taken);
  }

  spec::Pipeline pipeline() {
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    EXPECT_TRUE(loaded && loaded->ok()) << (loaded ? "" : loaded.error().message());
    for (const auto& problem : loaded->problems) ADD_FAILURE() << problem.message;
    return loaded->pipeline;
  }
  std::unique_ptr<Instance> open() {
    auto instance = Instance::open({.data_dir = path("data")}, logger_, clock_);
    EXPECT_TRUE(instance) << instance.error().message();
    return *std::move(instance);
  }

  // One more page of each source.
  void run_once() {
    auto instance = open();
    auto started = instance->start(pipeline(), true);
    ASSERT_TRUE(started) << started.error().message();
    auto finished = instance->wait_until_finished({});
    ASSERT_TRUE(finished) << finished.error().message();
    ASSERT_TRUE(instance->stop());
    for (const auto& table : instance->status().tables) EXPECT_TRUE(table.balanced());
  }

  // All dead letters of a node, a few at a time, in any order.
  void redrive_shuffled(const std::string& node) {
    auto instance = open();
    auto prepared = instance->prepare(pipeline());
    ASSERT_TRUE(prepared) << prepared.error().message();
    auto list = list_dead_letters(*instance, {.node = node, .rule = "", .stage = ""}, false, 1'000);
    ASSERT_TRUE(list) << list.error().message();
    std::vector<std::string> addresses;
    for (const auto& letter : list->newest) addresses.push_back(letter.address());
    EXPECT_GT(addresses.size(), 100U);
    std::ranges::shuffle(addresses, random_);
    for (size_t begin = 0; begin < addresses.size();) {
      size_t count = std::min(addresses.size() - begin, size_t{1 + random_() % 40});
      auto done = redrive(*instance, std::span(addresses).subspan(begin, count), std::nullopt);
      ASSERT_TRUE(done) << done.error().message();
      EXPECT_EQ(done->written, static_cast<int64_t>(count));
      begin += count;
    }
    ASSERT_TRUE(instance->stop());
  }

  std::vector<std::string> rows_of(const std::string& table) {
    auto instance = open();
    sql::JsonAnswer answer;
    auto sql = fmt::format("SELECT id, nat, who FROM {} ORDER BY id", table);
    auto done = query(*instance, sql, answer);
    EXPECT_TRUE(done) << done.error().message();
    return answer.json;
  }

  fs::path folder_;
  Logger logger_{LogFormat::kText, LogLevel::kError};
  io::ManualClock clock_{int64_t{1'700'000'000} * 1'000'000};
  std::mt19937 random_{7};
};

constexpr const char* kSome = "CASE WHEN nat < 'F' THEN 'many' ELSE '0' END";

TEST_P(RedriveOrderTest, ATablesRowsEndAsIfNoneHadBeenRefused) {
  write_pipeline("0", "nat < 'F'");
  for (int page = 0; page < 3; ++page) run_once();
  EXPECT_NE(rows_of("ks.refusing"), rows_of("ks.whole"));
  write_pipeline("0", "true");
  redrive_shuffled("ks.refusing");
  EXPECT_EQ(rows_of("ks.refusing"), rows_of("ks.whole"));
}

TEST_P(RedriveOrderTest, ASourcesRowsEndAsIfNoneHadBeenRefused) {
  write_pipeline(kSome, "true");
  for (int page = 0; page < 3; ++page) run_once();
  EXPECT_NE(rows_of("ks.refusing"), rows_of("ks.whole"));
  // The records that come late are refused once more, by the table.
  write_pipeline("0", "nat >= 'F'");
  redrive_shuffled("refusing");
  write_pipeline("0", "nat >= 'F'", "false");
  run_once();
  EXPECT_NE(rows_of("ks.refusing"), rows_of("ks.whole"));
  write_pipeline("0", "true");
  redrive_shuffled("ks.refusing");
  EXPECT_EQ(rows_of("ks.refusing"), rows_of("ks.whole"));
}

INSTANTIATE_TEST_SUITE_P(Partitions, RedriveOrderTest, testing::Values(1, 5));

}  // namespace
}  // namespace millrace::pipeline
