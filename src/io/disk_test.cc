#include "io/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "io/io.h"
#include "io/simulated_disk.h"

namespace millrace::io {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

enum class Which { kSystem, kSimulated };

// What holds for any disk.
class DiskTest : public testing::TestWithParam<Which> {
 protected:
  void SetUp() override {
    folder_ = "/folder";
    if (GetParam() == Which::kSystem) {
      std::string pattern = testing::TempDir() + "millrace-io-XXXXXX";
      ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
      folder_ = pattern;
    }
    ASSERT_TRUE(disk().make_directories(folder_));
  }
  void TearDown() override { EXPECT_TRUE(disk().remove_tree(folder_)); }

  Disk& disk() { return GetParam() == Which::kSystem ? system_disk() : simulated_; }
  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }

  SimulatedDisk simulated_{1};
  std::string folder_;
};

INSTANTIATE_TEST_SUITE_P(Disks, DiskTest, testing::Values(Which::kSystem, Which::kSimulated),
                         [](const auto& test) {
                           return test.param == Which::kSystem ? "System" : "Simulated";
                         });

TEST_P(DiskTest, FileReadsBackWhatWasWrittenAtPositions) {
  auto file = disk().open(path("a"), File::Mode::kCreate);
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

TEST_P(DiskTest, AllocateGivesZerosAndNeverShortens) {
  auto file = disk().open(path("a"), File::Mode::kCreate);
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

TEST_P(DiskTest, ErrorsNameThePathAndTheReason) {
  auto missing = disk().open(path("none"), File::Mode::kRead);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message(),
            "cannot open " + path("none") + ": No such file or directory");
  std::string full = GetParam() == Which::kSystem ? "/dev/full" : path("full");
  auto file = disk().open(full, File::Mode::kOpenOrCreate);
  ASSERT_TRUE(file);
  simulated_.set_capacity(0);
  auto written = file->write_at(0, "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message(),
            "cannot write " + full +
                ": No space left on device; make room on that disk");
}

TEST_P(DiskTest, HolesReadAsZerosAndAreNoData) {
  auto file = disk().open(path("a"), File::Mode::kCreate);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->allocate(1 << 20));
  ASSERT_TRUE(file->write_at(1 << 19, "x"));
  EXPECT_EQ(file->next_data(0), 1u << 19);
  EXPECT_EQ(file->next_data((1 << 19) + 4'096), std::nullopt);
  EXPECT_EQ(file->next_data(1 << 20), std::nullopt);
  ASSERT_TRUE(file->truncate((1 << 19) + 1));
  ASSERT_TRUE(file->truncate(1 << 20));
  char bytes[2] = {'y', 'y'};
  ASSERT_TRUE(file->read_at(1 << 19, bytes, 2));
  EXPECT_EQ(std::string_view(bytes, 2), std::string_view("x\0", 2));
}

TEST_P(DiskTest, ModesSayWhatIsMadeEmptiedAndWritten) {
  auto code_of = [&](std::string_view name, File::Mode mode) {
    auto opened = disk().open(path(name), mode);
    return opened ? std::optional<ErrorCode>() : opened.error().code();
  };
  EXPECT_EQ(code_of("a", File::Mode::kReadWrite), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("none/a", File::Mode::kOpenOrCreate), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("", File::Mode::kReadWrite), ErrorCode::kIo);
  EXPECT_EQ(code_of("a", File::Mode::kOpenOrCreate), std::nullopt);
  EXPECT_TRUE(disk().open(path("a"), File::Mode::kReadWrite)->write_at(0, "abc"));
  EXPECT_FALSE(disk().open(path("a"), File::Mode::kRead)->write_at(0, "xyz"));
  EXPECT_EQ(code_of("a", File::Mode::kOpenOrCreate), std::nullopt);
  EXPECT_EQ(disk().read_file(path("a"), 10), "abc");
  EXPECT_EQ(code_of("a", File::Mode::kCreate), std::nullopt);
  EXPECT_EQ(disk().read_file(path("a"), 10), "");
  EXPECT_EQ(disk().make_directories(path("a/b")).error().code(), ErrorCode::kIo);
  EXPECT_EQ(disk().remove_directory(path("a")).error().code(), ErrorCode::kIo);
  EXPECT_EQ(disk().is_directory(path("a")), false);
  EXPECT_EQ(disk().is_directory(folder_), true);
}

TEST_P(DiskTest, OpenFilesOutliveTheirNames) {
  auto file = disk().open(path("a"), File::Mode::kCreate);
  ASSERT_TRUE(file && file->write_at(0, "abc"));
  ASSERT_TRUE(disk().remove_file(path("a")));
  char byte = 0;
  EXPECT_TRUE(file->read_at(2, &byte, 1));
  EXPECT_EQ(byte, 'c');
}

TEST_P(DiskTest, FoldersAreMadeListedAndRemoved) {
  ASSERT_TRUE(disk().make_directories(path("a/b/c")));
  ASSERT_TRUE(disk().make_directories(path("a/b/c")));
  ASSERT_TRUE(disk().write_file_atomic(path("a/z"), "1"));
  ASSERT_TRUE(disk().write_file_atomic(path("a/m"), "2"));
  EXPECT_THAT(*disk().list_directory(path("a")), ElementsAre("b", "m", "z"));
  EXPECT_FALSE(disk().make_directories(path("a/z")));
  EXPECT_FALSE(disk().make_directories(""));
  ASSERT_TRUE(disk().rename(path("a/z"), path("a/m")));
  EXPECT_EQ(disk().read_file(path("a/m"), 10), "1");
  EXPECT_EQ(disk().rename(path("a"), path("a/b")).error().code(), ErrorCode::kIo);
  ASSERT_TRUE(disk().remove_tree(path("a")));
  ASSERT_TRUE(disk().remove_tree(path("a")));
  EXPECT_EQ(disk().file_exists(path("a")), false);
  EXPECT_EQ(disk().remove_file(path("a")).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(disk().list_directory(path("a")).error().code(), ErrorCode::kNotFound);
}

TEST_P(DiskTest, FilesAreReplacedWholeAndPrivate) {
  ASSERT_TRUE(disk().write_file_atomic(path("a"), "old"));
  std::string large(200'000, 'n');
  ASSERT_TRUE(disk().write_file_atomic(path("a"), large));
  EXPECT_EQ(disk().read_file(path("a"), large.size()), large);
  EXPECT_EQ(disk().read_file(path("a"), large.size() - 1).error().code(), ErrorCode::kLimit);
  EXPECT_THAT(*disk().list_directory(folder_), ElementsAre("a"));
  if (GetParam() == Which::kSimulated) return;
  struct stat status;
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_P(DiskTest, LockIsOnePerFolderAndNamesItsHolder) {
  {
    auto lock = DirectoryLock::acquire(disk(), folder_);
    ASSERT_TRUE(lock);
    auto second = DirectoryLock::acquire(disk(), folder_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), ErrorCode::kConflict);
    EXPECT_THAT(second.error().message(),
                HasSubstr(fmt::format("{} is in use by process {};", folder_, ::getpid())));
    EXPECT_EQ(disk().read_file(path("LOCK"), 100), fmt::format("{}\n", ::getpid()));
  }
  // Nobody sends a signal to who had it once.
  EXPECT_EQ(disk().read_file(path("LOCK"), 100), "");
  EXPECT_TRUE(DirectoryLock::acquire(disk(), folder_));
}

TEST_P(DiskTest, LockWaitsForTheHolderToGo) {
  auto first = DirectoryLock::acquire(disk(), folder_);
  ASSERT_TRUE(first);
  std::jthread holder(
      [lock = std::move(*first)]() mutable { DirectoryLock dropped = std::move(lock); });
  EXPECT_TRUE(DirectoryLock::acquire(disk(), folder_, 10s));
}

}  // namespace
}  // namespace millrace::io
