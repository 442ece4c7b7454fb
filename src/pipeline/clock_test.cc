// A wall clock that is set back and forth while a pipeline takes new versions of a row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "base/base.h"
#include "io/io.h"
#include "pipeline/pipeline.h"
#include "source/test_server.h"
#include "sql/test_rows.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;

// The system's clock, its wall time moved by what the test says.
class MovedClock final : public io::Clock {
 public:
  int64_t now_micros() override { return system_.now_micros() + moved_micros; }
  int64_t monotonic_micros() override { return system_.monotonic_micros(); }
  bool wait(std::chrono::milliseconds duration, std::stop_token stop) override {
    return system_.wait(duration, stop);
  }
  std::atomic<int64_t> moved_micros = 0;

 private:
  io::SystemClock system_;
};

class ClockTest : public testing::Test {
 protected:
  static constexpr int64_t kHour = int64_t{3'600} * 1'000'000;

  ClockTest()
      : folder_(fs::path(testing::TempDir()) / fmt::format("clock_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kError),
        server_([this](const std::string&) { return answer(); }) {
    fs::create_directories(folder_);
    std::ofstream(path("row.schema.json"))
        << R"({"properties": {"id": {"type": "integer"}, "version": {"type": "integer"}}})";
  }
  ~ClockTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) { return (folder_ / name).string(); }

  // A new version of the one row; the clock jumps before it, where the test says so.
  std::string answer() {
    if (jump_micros_ != 0) clock_.moved_micros = version_ % 2 == 0 ? jump_micros_ : -jump_micros_;
    return source::response(200, fmt::format(R"([{{"id":1,"version":{}}}])", ++version_),
                            "Content-Type: application/json\r\n");
  }

  // One run of this length; the version that the table has after it.
  std::string run_once(const std::string& length) {
    std::ofstream(path("p.yaml")) << fmt::format(
        "name: clock\nsources:\n  rows:\n    http: {{url: '{}', every: 0ms}}\n    for: {}\n"
        "    schema: row.schema.json\n    to: rows\n    select: SELECT id, version\n"
        "topics: {{rows: {{key: id}}}}\n"
        "tables: {{ks.rows: {{primary_key: id, from: SELECT * FROM rows}}}}\n",
        server_.url("/"), length);
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    EXPECT_TRUE(loaded && loaded->ok());
    auto instance = Instance::open({.data_dir = path("data")}, logger_, clock_);
    EXPECT_TRUE(instance) << instance.error().message();
    auto started = (*instance)->start(loaded->pipeline, true);
    EXPECT_TRUE(started) << started.error().message();
    auto finished = (*instance)->wait_until_finished({});
    EXPECT_TRUE(finished) << finished.error().message();
    auto status = (*instance)->status();
    EXPECT_TRUE(status.tables[0].balanced());
    EXPECT_EQ(status.tables[0].written, version_);
    EXPECT_TRUE((*instance)->stop());
    sql::JsonAnswer rows;
    auto asked = query(**instance, "SELECT version FROM ks.rows", rows);
    EXPECT_TRUE(asked) << asked.error().message();
    return rows.json.at(0);
  }

  std::string newest() const { return fmt::format(R"({{"version":{}}})", version_.load()); }

  fs::path folder_;
  Logger logger_;
  MovedClock clock_;
  std::atomic<int64_t> jump_micros_ = 0;
  std::atomic<int64_t> version_ = 0;
  source::TestServer server_;
};

TEST_F(ClockTest, TheLastWriteWinsOverRestartsWhateverTheClockSays) {
  for (int64_t moved : {int64_t{0}, -kHour, kHour, -kHour, int64_t{0}, 2 * kHour, -2 * kHour}) {
    clock_.moved_micros = moved;
    EXPECT_EQ(run_once("0s"), newest()) << moved;
  }
}

TEST_F(ClockTest, TheLastWriteWinsWhileTheClockJumps) {
  jump_micros_ = kHour;
  EXPECT_EQ(run_once("300ms"), newest());
  EXPECT_GT(version_, 4);
}

}  // namespace
}  // namespace millrace::pipeline
