// A wall clock that is set back and forth while a pipeline takes new versions of a row.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "base/base.h"
#include "io/io.h"
#include "pipeline/pipeline.h"
#include "sql/test_rows.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;

// The system's clock, its wall time moved by what the test says: forth and back in turn.
class MovedClock final : public io::Clock {
 public:
  int64_t now_micros() override {
    if (jumps) moved_micros = -moved_micros;
    return system_.now_micros() + moved_micros;
  }
  int64_t monotonic_micros() override { return system_.monotonic_micros(); }
  bool wait(std::chrono::milliseconds duration, std::stop_token stop) override {
    return system_.wait(duration, stop);
  }
  std::atomic<int64_t> moved_micros = 0;
  std::atomic<bool> jumps = false;

 private:
  io::SystemClock system_;
};

class ClockTest : public testing::Test {
 protected:
  static constexpr int64_t kHour = int64_t{3'600} * 1'000'000;

  ClockTest()
      : folder_(fs::path(testing::TempDir()) / fmt::format("clock_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kError) {
    fs::create_directories(folder_);
    std::ofstream(path("row.schema.json")) << R"({"properties": {"gender": {"type": "string"}}})";
  }
  ~ClockTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) { return (folder_ / name).string(); }

  // One run of this length, of versions of one row; whether the table then has the newest.
  void run_once(const std::string& length) {
    std::ofstream(path("p.yaml")) << fmt::format(
        "name: clock\nsources:\n  rows:\n"
        "    http: {{url: 'sample://randomuser/api/?results=1', every: 1ms}}\n    for: {}\n"
        "    items: results\n    schema: row.schema.json\n    to: rows\n"
        "    select: SELECT 1 AS id, epoch_us(get_current_timestamp()) AS version\n"
        "topics: {{rows: {{key: id}}}}\n"
        "tables: {{ks.rows: {{primary_key: id, from: SELECT * FROM rows}}}}\n",
        length);
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    ASSERT_TRUE(loaded && loaded->ok());
    auto instance = Instance::open({.data_dir = path("data")}, logger_, clock_);
    ASSERT_TRUE(instance) << instance.error().message();
    auto started = (*instance)->start(loaded->pipeline, true);
    ASSERT_TRUE(started) << started.error().message();
    auto finished = (*instance)->wait_until_finished({});
    ASSERT_TRUE(finished) << finished.error().message();
    auto status = (*instance)->status();
    EXPECT_TRUE(status.tables[0].balanced());
    EXPECT_EQ(status.tables[0].waiting, 0);
    EXPECT_GT(status.tables[0].written, versions_);
    versions_ = status.tables[0].written;
    ASSERT_TRUE((*instance)->stop());
    sql::JsonAnswer rows;
    auto asked = query(**instance,
                       "SELECT count(*) AS n FROM ks.rows "
                       "WHERE version = (SELECT max(version) FROM rows)",
                       rows);
    ASSERT_TRUE(asked) << asked.error().message();
    EXPECT_EQ(rows.json.at(0), R"({"n":1})");
  }

  fs::path folder_;
  Logger logger_;
  MovedClock clock_;
  int64_t versions_ = 0;
};

TEST_F(ClockTest, TheLastWriteWinsOverRestartsWhateverTheClockSays) {
  for (int64_t moved : {int64_t{0}, -kHour, kHour, -kHour, int64_t{0}, 2 * kHour, -2 * kHour}) {
    clock_.moved_micros = moved;
    SCOPED_TRACE(moved);
    run_once("0s");
  }
}

TEST_F(ClockTest, TheLastWriteWinsWhileTheClockJumps) {
  clock_.moved_micros = kHour;
  clock_.jumps = true;
  run_once("100ms");
  EXPECT_GT(versions_, 4);
}

}  // namespace
}  // namespace millrace::pipeline
