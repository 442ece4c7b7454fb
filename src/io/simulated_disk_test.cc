#include "io/simulated_disk.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "io/io.h"

namespace millrace::io {
namespace {

using Fault = SimulatedDisk::Fault;

// What `file` holds after a crash that follows `act`, for many seeds; "(none)" without a file.
std::set<std::string> after_crash(const std::string& file,
                                  const std::function<void(SimulatedDisk&)>& act) {
  std::set<std::string> found;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimulatedDisk disk(seed);
    act(disk);
    disk.crash();
    found.insert(disk.read_file(file, 1 << 20).value_or("(none)"));
  }
  return found;
}

File made(SimulatedDisk& disk, const std::string& path, std::string_view bytes) {
  auto file = *disk.open(path, File::Mode::kCreate);
  EXPECT_TRUE(file.write_at(0, bytes));
  return file;
}

TEST(SimulatedDisk, WhatWasSyncedStays) {
  EXPECT_EQ(after_crash("/a",
                        [](auto& disk) {
                          auto file = made(disk, "/a", "old");
                          EXPECT_TRUE(file.sync_data());
                          EXPECT_TRUE(disk.sync_directory("/"));
                        }),
            std::set<std::string>{"old"});
}

TEST(SimulatedDisk, NamesNeedTheirFolderSynced) {
  auto left = after_crash("/a", [](auto& disk) { EXPECT_TRUE(made(disk, "/a", "x").sync_data()); });
  EXPECT_EQ(left, (std::set<std::string>{"(none)", "x"}));
}

TEST(SimulatedDisk, WritesAreKeptLostAndTornAtSectorsInAnyOrder) {
  auto sectors = [](char first, char second) {
    return std::string(512, first) + std::string(512, second);
  };
  auto left = after_crash("/a", [&](auto& disk) {
    auto file = made(disk, "/a", sectors('a', 'a'));
    EXPECT_TRUE(file.sync_data());
    EXPECT_TRUE(disk.sync_directory("/"));
    EXPECT_TRUE(file.write_at(0, sectors('b', 'b')));
    EXPECT_TRUE(file.write_at(0, std::string(512, 'c')));
  });
  std::set<std::string> all;
  for (char first : {'a', 'b', 'c'})
    for (char second : {'a', 'b'}) all.insert(sectors(first, second));
  EXPECT_EQ(left, all);
}

TEST(SimulatedDisk, SizesChangeInOrder) {
  auto left = after_crash("/a", [](auto& disk) {
    auto file = made(disk, "/a", "abcd");
    EXPECT_TRUE(file.sync_data());
    EXPECT_TRUE(disk.sync_directory("/"));
    EXPECT_TRUE(file.truncate(2));
    EXPECT_TRUE(file.write_at(2, "xyz"));
  });
  using namespace std::string_literals;
  EXPECT_EQ(left, (std::set<std::string>{"abcd", "abxy", "ab", "abxyz", "ab\0\0\0"s}));
}

TEST(SimulatedDisk, ReplacedFilesAreOldOrNew) {
  auto left = after_crash("/f/a", [](auto& disk) {
    EXPECT_TRUE(disk.make_directories("/f"));
    EXPECT_TRUE(disk.write_file_atomic("/f/a", "old"));
    // As write_file_atomic() does it, without the last step.
    auto file = made(disk, "/f/a.tmp", "new");
    EXPECT_TRUE(file.sync_data());
    EXPECT_TRUE(disk.rename("/f/a.tmp", "/f/a"));
  });
  EXPECT_EQ(left, (std::set<std::string>{"old", "new"}));
  left = after_crash("/f/a", [](auto& disk) {
    EXPECT_TRUE(disk.make_directories("/f"));
    EXPECT_TRUE(disk.write_file_atomic("/f/a", "old"));
    EXPECT_TRUE(disk.write_file_atomic("/f/a", "new"));
  });
  EXPECT_EQ(left, std::set<std::string>{"new"});
}

TEST(SimulatedDisk, RemovalsComeBackUntilTheFolderIsSynced) {
  auto act = [](auto& disk) {
    EXPECT_TRUE(disk.write_file_atomic("/a", "x"));
    EXPECT_TRUE(disk.remove_file("/a"));
  };
  EXPECT_EQ(after_crash("/a", act), (std::set<std::string>{"(none)", "x"}));
}

TEST(SimulatedDisk, AProcessThatEndsLosesNothing) {
  SimulatedDisk disk(1);
  auto file = made(disk, "/a", "abc");
  ASSERT_TRUE(*file.try_lock());
  disk.restart_process();
  EXPECT_FALSE(file.write_at(0, "x"));
  EXPECT_EQ(disk.read_file("/a", 10), "abc");
  EXPECT_TRUE(*disk.open("/a", File::Mode::kRead)->try_lock());
}

TEST(SimulatedDisk, AfterItsDeathEveryCallFails) {
  std::set<std::string> left;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SimulatedDisk disk(seed);
    auto file = made(disk, "/a", "abc");
    disk.plan(2, Fault::kDeath);
    EXPECT_TRUE(file.write_at(0, "x"));
    EXPECT_FALSE(file.write_at(0, "y"));
    EXPECT_TRUE(disk.is_dead());
    EXPECT_FALSE(file.size());
    EXPECT_FALSE(disk.list_directory("/"));
    disk.restart_process();
    left.insert(*disk.read_file("/a", 10));
  }
  EXPECT_EQ(left, (std::set<std::string>{"xbc", "ybc"}));
}

TEST(SimulatedDisk, PlannedFaultsComeWhenTheyCan) {
  SimulatedDisk disk(1);
  auto file = made(disk, "/a", "abc");
  disk.plan(1, Fault::kNoSpace);
  disk.plan(1, Fault::kError);
  EXPECT_FALSE(file.size());
  EXPECT_TRUE(file.size());
  EXPECT_FALSE(file.write_at(0, "x"));
  EXPECT_TRUE(file.write_at(0, "x"));
  disk.plan(2, Fault::kError);
  disk.forget_plan();
  EXPECT_TRUE(file.size());
  EXPECT_TRUE(file.size());
}

TEST(SimulatedDisk, CallsThatFallShortAreCarriedOn) {
  SimulatedDisk disk(1);
  auto file = made(disk, "/a", "");
  for (uint64_t call = 1; call <= 3; ++call) disk.plan(call, Fault::kShort);
  uint64_t calls = disk.call_count();
  EXPECT_TRUE(file.write_at(0, "front", "and rest"));
  EXPECT_GT(disk.call_count() - calls, 2u);
  disk.plan(1, Fault::kShort);
  EXPECT_EQ(disk.read_file("/a", 100), "frontand rest");
}

TEST(SimulatedDisk, AFailedSyncMayLoseWhatCanStillBeRead) {
  std::set<std::string> left;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SimulatedDisk disk(seed);
    auto file = made(disk, "/a", "abc");
    EXPECT_TRUE(file.sync_data() && disk.sync_directory("/"));
    EXPECT_TRUE(file.write_at(0, "x"));
    disk.plan(1, Fault::kError);
    EXPECT_FALSE(file.sync_data());
    EXPECT_TRUE(file.sync_data());
    EXPECT_EQ(disk.read_file("/a", 10), "xbc");
    disk.crash();
    left.insert(*disk.read_file("/a", 10));
  }
  EXPECT_EQ(left, (std::set<std::string>{"abc", "xbc"}));
}

TEST(SimulatedDisk, FillsUp) {
  SimulatedDisk disk(1);
  disk.set_capacity(10'000);
  auto file = made(disk, "/a", "");
  EXPECT_FALSE(file.allocate(10'001));
  EXPECT_TRUE(file.allocate(9'000));
  auto other = made(disk, "/b", "");
  EXPECT_FALSE(other.write_at(0, std::string(5'000, 'x')));
  EXPECT_TRUE(file.write_at(0, std::string(9'000, 'x')));
  EXPECT_TRUE(disk.remove_file("/a"));
  EXPECT_TRUE(other.write_at(0, std::string(5'000, 'x')));
  disk.set_capacity(20'000);
  EXPECT_TRUE(other.allocate(20'000));
}

TEST(SimulatedDisk, OneSeedIsOneStory) {
  auto story = [](uint64_t seed) {
    SimulatedDisk disk(seed);
    auto file = made(disk, "/a", std::string(10'000, 'x'));
    disk.crash();
    EXPECT_TRUE(disk.write_file_atomic("/b", disk.read_file("/a", 20'000).value_or("(none)")));
    return std::pair(disk.trace(), *disk.read_file("/b", 20'000));
  };
  EXPECT_EQ(story(7), story(7));
  EXPECT_NE(story(1).second, story(7).second);
}

TEST(SimulatedDisk, AppendsAreKeptInOrderWhereThatIsAskedFor) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SimulatedDisk disk(seed);
    disk.keep_append_order("/a");
    ASSERT_TRUE(disk.make_directories("/a"));
    std::string written;
    {
      auto file = *disk.open("/a/f", File::Mode::kCreate);
      ASSERT_TRUE(disk.sync_directory("/a"));
      for (int i = 0; i < 20; ++i) {
        std::string bytes(700, static_cast<char>('a' + i));
        ASSERT_TRUE(file.write_at(written.size(), bytes));
        written += bytes;
      }
    }
    disk.crash();
    auto kept = disk.read_file("/a/f", 100'000);
    ASSERT_TRUE(kept);
    EXPECT_TRUE(written.starts_with(*kept)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace millrace::io
