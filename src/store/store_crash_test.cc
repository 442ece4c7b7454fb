#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <vector>

#include "store/store.h"
#include "store/test_tables.h"

namespace millrace::store {
namespace {

// The process that the test below starts and that dies. A fork alone will not do: it would have
// none of RocksDB's threads.
constexpr const char* kDyingFolder = "MILLRACE_STORE_TEST_FOLDER";
constexpr int64_t kDyingCommits = 300;
constexpr int64_t kDyingRows = 100;  // of each commit

TEST(DyingProcess, CommitsAndDies) {
  const char* folder = std::getenv(kDyingFolder);
  if (folder == nullptr) GTEST_SKIP() << "runs only as a child of the next test";
  Logger logger(LogFormat::kText, LogLevel::kWarning);
  auto store = Store::open(folder, logger, {});
  ASSERT_TRUE(store);
  auto table = (*store)->find_table("test", "people");
  Batch batch;
  const std::string picture(2'000, 'p');  // 60 MB together: some memtables are written, some not
  for (int64_t i = 0; i < kDyingCommits; ++i) {
    for (int64_t id = i * kDyingRows; id < (i + 1) * kDyingRows; ++id) {
      auto key = bigint(id);
      const CellValue values[] = {"x", key, std::nullopt, picture};
      ASSERT_TRUE(batch.upsert(*table, values, {1}));
    }
    batch.set_progress(*table, "t", PartitionId(0), {.next = Offset((i + 1) * kDyingRows)});
    ASSERT_TRUE((*store)->commit(batch));
  }
  ::_exit(0);
}

TEST(DeadProcess, LeavesAPrefixOfItsCommits) {
  std::string path = testing::TempDir() + "millrace_store_XXXXXX";
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  const std::string folder = path + "/store";
  Logger logger(LogFormat::kText, LogLevel::kWarning);
  ASSERT_TRUE((*Store::open(folder, logger, {}))->create_table(people()));
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::setenv(kDyingFolder, folder.c_str(), 1);
    ::execl("/proc/self/exe", "store_test", "--gtest_filter=DyingProcess.*", nullptr);
    ::_exit(1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  {
    auto store = *Store::open(folder, logger, {});
    auto table = store->find_table("test", "people");
    ASSERT_NE(table, nullptr);
    auto progress = *store->progress(*table, "t", PartitionId(0));
    int64_t next = progress ? progress->next.value : 0;
    EXPECT_EQ(next % kDyingRows, 0);
    EXPECT_GT(next, 0);  // more was committed than the memtables hold
    EXPECT_LT(next, kDyingCommits * kDyingRows);
    constexpr uint32_t kId[] = {1};
    auto scan = store->scan(table, kId);
    std::vector<bool> seen(static_cast<size_t>(next));
    int64_t rows = 0;
    for (; *scan->next(); ++rows) {
      auto id = load_be<int64_t>(scan->value(0)->data());
      ASSERT_LT(id, next);
      seen[static_cast<size_t>(id)] = true;
    }
    EXPECT_EQ(rows, next);
    EXPECT_TRUE(std::ranges::all_of(seen, std::identity()));
  }
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace millrace::store
