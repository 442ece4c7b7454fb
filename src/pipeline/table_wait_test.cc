// A table that meets a damaged record: it waits there, says so now and then, and goes on once the
// record is whole again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <vector>

#include "base/base.h"
#include "pipeline/pipeline.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

// A wait is over at once, and moves the time.
class QuickClock final : public io::Clock {
 public:
  int64_t now_micros() override { return micros_; }
  int64_t monotonic_micros() override { return micros_; }
  bool wait(std::chrono::milliseconds duration, std::stop_token stop) override {
    micros_ += std::chrono::microseconds(duration).count();
    return !stop.stop_requested();
  }

 private:
  std::atomic<int64_t> micros_ = int64_t{1'700'000'000} * 1'000'000;
};

class TableWaitTest : public testing::Test {
 protected:
  struct Line {
    std::string text;
    int64_t at_micros;
  };

  TableWaitTest() : folder_(fs::path(testing::TempDir()) / ("wait_" + to_string(random_uuid()))) {
    fs::create_directories(folder_);
    write("row.schema.json", R"({"properties": {"gender": {"type": "string"}}})");
  }
  ~TableWaitTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
  }

  // A source that makes one page and is through, and these tables.
  std::unique_ptr<Instance> start(const std::string& tables, bool once) {
    write("p.yaml",
          "name: rows\n"
          "sources:\n  people:\n    http: {url: 'sample://randomuser/api/?results=200'}\n"
          "    for: 0s\n    items: results\n    schema: row.schema.json\n    to: rows\n"
          "    select: SELECT gen_random_uuid() AS id, gender FROM people\n"
          "topics: {rows: {key: id}}\n" +
              tables);
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    EXPECT_TRUE(loaded && loaded->ok());
    for (const auto& problem : loaded->problems) ADD_FAILURE() << problem.message;
    auto instance = Instance::open({.data_dir = path("data")}, logger_, clock_);
    EXPECT_TRUE(instance) << instance.error().message();
    auto started = (*instance)->start(loaded->pipeline, once);
    EXPECT_TRUE(started) << started.error().message();
    return *std::move(instance);
  }
  // In the first page.
  void flip_a_bit() {
    for (const auto& file : fs::directory_iterator(path("data/log/rows/0"))) {
      if (file.path().extension() != ".segment") continue;
      std::fstream segment(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      segment.seekg(1'000);
      char byte = static_cast<char>(segment.get() ^ 0x10);
      segment.seekp(1'000);
      segment.put(byte);
    }
  }

  void take(std::string_view line) {
    std::scoped_lock lock(mutex_);
    lines_.push_back({std::string(line), clock_.monotonic_micros()});
    grown_.notify_all();
  }
  // The lines with these words, once there are so many.
  std::vector<Line> wait_for_lines(const std::string& words, size_t count) {
    std::vector<Line> found;
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(grown_.wait_for(lock, 60s,
                                [&] {
                                  found.clear();
                                  for (const auto& line : lines_)
                                    if (line.text.contains(words)) found.push_back(line);
                                  return found.size() >= count;
                                }))
        << "not " << count << " lines with: " << words;
    return found;
  }

  fs::path folder_;
  QuickClock clock_;
  std::mutex mutex_;
  std::condition_variable grown_;
  std::vector<Line> lines_;
  Logger logger_{LogFormat::kText, LogLevel::kInfo, [this](std::string_view line) { take(line); }};
};

TEST_F(TableWaitTest, ItIsLoggedEveryHalfMinuteAndGoesOnWhereTheRecordIsWholeAgain) {
  // Two, for the source itself reads the last one at its start.
  for (int pages = 0; pages < 2; ++pages) {
    auto source = start("", true);
    ASSERT_TRUE(source->wait_until_finished({}));
    ASSERT_TRUE(source->stop());
  }
  flip_a_bit();
  auto table = start("tables: {ks.rows: {primary_key: id, from: SELECT * FROM rows}}\n", false);
  ASSERT_FALSE(HasFailure());
  auto lines = wait_for_lines("a batch failed", 3);
  ASSERT_GE(lines.size(), 3);
  for (size_t i = 1; i < 3; ++i)
    EXPECT_GE(lines[i].at_micros - lines[i - 1].at_micros, 30'000'000) << lines[i].text;
  auto status = table->status().tables.at(0);
  EXPECT_EQ(status.state, NodeState::kWaiting);
  EXPECT_EQ(status.waiting, status.records_in);
  EXPECT_THAT(status.error,
              AllOf(HasSubstr(".segment"), HasSubstr("at byte"), HasSubstr("'millrace doctor'")));

  flip_a_bit();
  wait_for_lines("goes on", 1);
  ASSERT_TRUE(table->stop());
  status = table->status().tables.at(0);
  EXPECT_GE(status.written, 400);
  EXPECT_TRUE(status.balanced());
  EXPECT_EQ(status.error, "");
}

}  // namespace
}  // namespace millrace::pipeline
