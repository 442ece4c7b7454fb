#include "io/io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

namespace millrace::io {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class IoTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "millrace-io-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { EXPECT_TRUE(remove_tree(folder_)); }
  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }

  std::string folder_;
};

TEST_F(IoTest, FileReadsBackWhatWasWrittenAtPositions) {
  auto file = system_disk().open(path("a"), File::Mode::kCreate);
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->write_at(4, "world"));
  EXPECT_TRUE(file->write_at(0, "big "));
  EXPECT_TRUE(file->sync_data());
  EXPECT_EQ(file->size(), 9u);
  char buffer[16];
  ASSERT_TRUE(file->read_at(4, buffer, 5));
  EXPECT_EQ(std::string_view(buffer, 5), "world");
  EXPECT_EQ(file->read_some_at(7, buffer, sizeof buffer), 2u);
  EXPECT_EQ(file->read_some_at(9, buffer, sizeof buffer), 0u);
  auto past = file->read_at(5, buffer, 5);
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().code(), ErrorCode::kIo);
  EXPECT_THAT(past.error().message(), HasSubstr(path("a")));
}

TEST_F(IoTest, AllocateGivesZerosAndNeverShortens) {
  auto file = system_disk().open(path("a"), File::Mode::kCreate);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write_at(0, "abc"));
  ASSERT_TRUE(file->allocate(1 << 20));
  EXPECT_EQ(file->size(), 1u << 20);
  ASSERT_TRUE(file->allocate(10));
  EXPECT_EQ(file->size(), 1u << 20);
  char byte = 'x';
  ASSERT_TRUE(file->read_at((1 << 20) - 1, &byte, 1));
  EXPECT_EQ(byte, 0);
  ASSERT_TRUE(file->truncate(2));
  EXPECT_EQ(file->size(), 2u);
  EXPECT_EQ(file->next_data(2), std::nullopt);
  EXPECT_EQ(file->next_data(0), 0u);
}

TEST_F(IoTest, ErrorsNameThePathAndTheReason) {
  auto missing = system_disk().open(path("none"), File::Mode::kRead);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message(),
            "cannot open " + path("none") + ": No such file or directory");
  auto full = system_disk().open("/dev/full", File::Mode::kReadWrite);
  ASSERT_TRUE(full);
  auto written = full->write_at(0, "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message(),
            "cannot write /dev/full: No space left on device; make room on that disk, then start "
            "again");
}

TEST_F(IoTest, FoldersAreMadeListedAndRemoved) {
  ASSERT_TRUE(make_directories(path("a/b/c")));
  ASSERT_TRUE(make_directories(path("a/b/c")));
  ASSERT_TRUE(write_file_atomic(path("a/z"), "1"));
  ASSERT_TRUE(write_file_atomic(path("a/m"), "2"));
  EXPECT_THAT(*list_directory(path("a")), ElementsAre("b", "m", "z"));
  EXPECT_FALSE(make_directories(path("a/z")));
  EXPECT_FALSE(make_directories(""));
  ASSERT_TRUE(system_disk().rename(path("a/z"), path("a/m")));
  EXPECT_EQ(read_file(path("a/m"), 10), "1");
  EXPECT_EQ(system_disk().rename(path("a"), path("a/b")).error().code(), ErrorCode::kIo);
  ASSERT_TRUE(remove_tree(path("a")));
  ASSERT_TRUE(remove_tree(path("a")));
  EXPECT_EQ(file_exists(path("a")), false);
  EXPECT_EQ(system_disk().remove_file(path("a")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(list_directory(path("a")).error().code(), ErrorCode::kNotFound);
}

TEST_F(IoTest, FilesAreReplacedWholeAndPrivate) {
  ASSERT_TRUE(write_file_atomic(path("a"), "old"));
  std::string large(200'000, 'n');
  ASSERT_TRUE(write_file_atomic(path("a"), large));
  EXPECT_EQ(read_file(path("a"), large.size()), large);
  EXPECT_EQ(read_file(path("a"), large.size() - 1).error().code(), ErrorCode::kLimit);
  EXPECT_THAT(*list_directory(folder_), ElementsAre("a"));
  struct stat status;
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(IoTest, LockIsOnePerFolderAndNamesItsHolder) {
  {
    auto lock = DirectoryLock::acquire(system_disk(), folder_);
    ASSERT_TRUE(lock);
    auto second = DirectoryLock::acquire(system_disk(), folder_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::kConflict);
    EXPECT_THAT(second.error().message(),
                HasSubstr(fmt::format("{} is in use by process {};", folder_, ::getpid())));
  }
  EXPECT_TRUE(DirectoryLock::acquire(system_disk(), folder_));
}

TEST_F(IoTest, LockWaitsForTheHolderToGo) {
  auto first = DirectoryLock::acquire(system_disk(), folder_);
  ASSERT_TRUE(first);
  std::jthread holder(
      [lock = std::move(*first)]() mutable { DirectoryLock dropped = std::move(lock); });
  EXPECT_TRUE(DirectoryLock::acquire(system_disk(), folder_, 10s));
}

TEST(Clock, SystemClockWaitsAndCanBeStopped) {
  SystemClock clock;
  int64_t before = clock.monotonic_micros();
  EXPECT_TRUE(clock.wait(2ms, {}));
  EXPECT_GE(clock.monotonic_micros() - before, 2'000);
  EXPECT_GT(clock.now_micros(), 1'700'000'000'000'000);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(clock.wait(1h, stop.get_token()));
  EXPECT_FALSE(clock.wait(0ms, stop.get_token()));
}

TEST(Clock, ManualClockMovesOnlyByHand) {
  ManualClock clock(5'000'000);
  EXPECT_EQ(clock.now_micros(), 5'000'000);
  EXPECT_TRUE(clock.wait(0ms, {}));
  std::jthread waiter([&](std::stop_token) { EXPECT_TRUE(clock.wait(10ms, {})); });
  while (clock.waiting() == 0) std::this_thread::yield();
  clock.advance(9ms);
  EXPECT_EQ(clock.waiting(), 1);
  clock.advance(1ms);
  waiter.join();
  EXPECT_EQ(clock.now_micros(), 5'010'000);
  EXPECT_EQ(clock.monotonic_micros(), 10'000);
  std::stop_source stop;
  std::jthread stopped([&] { EXPECT_FALSE(clock.wait(1h, stop.get_token())); });
  stop.request_stop();
}

}  // namespace
}  // namespace millrace::io
