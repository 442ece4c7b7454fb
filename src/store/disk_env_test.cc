// The store on a disk that crashes and fails.
#include "store/disk_env.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/bytes.h"
#include "base/test_seeds.h"
#include "io/simulated_disk.h"
#include "store/store.h"
#include "store/test_tables.h"

namespace millrace::store {
namespace {

using io::SimulatedDisk;
using Fault = SimulatedDisk::Fault;

constexpr int64_t kRowsOfCommit = 3;

// Commits rows 0, 1, 2, … with a progress that says how many there are.
class StoreRun {
 public:
  explicit StoreRun(uint64_t seed) : random_(seed), disk_(seed) {
    disk_.keep_append_order("/data/store");
    options_ = {.write_each_commit = one_in(2), .disk = &disk_};
  }

  Result<void> run() {
    for (int round = 0; round < 5; ++round) {
      MR_TRY(open_through_crashes());
      if (one_in(2)) disk_.plan(1 + below(100), Fault::kDeath);
      if (one_in(4)) disk_.plan(1 + below(100), Fault::kError);
      if (one_in(4)) disk_.plan(1 + below(100), Fault::kNoSpace);
      if (one_in(2)) disk_.plan(1 + below(100), Fault::kShort);
      for (uint64_t steps = below(40); steps > 0 && !disk_.is_dead(); --steps) MR_TRY(step());
      end_process();
    }
    return open_through_crashes();
  }
  uint64_t trace() const { return disk_.trace(); }

 private:
  uint64_t below(uint64_t end) { return random_() % end; }
  bool one_in(uint64_t n) { return below(n) == 0; }

  void end_process() {
    if (one_in(2)) disk_.plan(1, Fault::kDeath);
    store_.reset();
    if (one_in(3)) {
      disk_.restart_process();
    } else {
      disk_.crash();
    }
  }

  Result<void> open_through_crashes() {
    while (one_in(3)) {
      disk_.plan(1 + below(60), Fault::kDeath);
      MR_TRY(allowed(open()));
      end_process();
    }
    disk_.forget_plan();
    return open();
  }

  Result<void> open() {
    batch_.clear();
    store_ = MR_TRY(Store::open("/data/store", logger_, options_));
    table_ = store_->find_table("test", "people");
    if (table_ == nullptr) {
      if (made_) return fail(ErrorCode::kCorrupt, "the table is gone");
      table_ = MR_TRY(store_->create_table(people()));
    }
    made_ = true;
    return disk_.is_dead() ? Result<void>() : check();
  }

  Result<void> check() {
    auto progress = MR_TRY(store_->progress(*table_, "t", PartitionId(0)));
    int64_t next = progress ? progress->next.value : 0;
    if (next < flushed_ || next > committed_)
      return fail(ErrorCode::kCorrupt,
                  "the progress is {}, but {} rows were flushed and {} written", next, flushed_,
                  committed_);
    constexpr uint32_t kId[] = {1};
    auto rows = MR_TRY(store_->scan(table_, kId));
    std::vector<int64_t> ids;
    while (MR_TRY(rows.next())) ids.push_back(load_be<int64_t>(rows.value(0)->data()));
    std::ranges::sort(ids);
    if (static_cast<int64_t>(ids.size()) != next || (next > 0 && ids.back() != next - 1) ||
        std::ranges::adjacent_find(ids) != ids.end())
      return fail(ErrorCode::kCorrupt, "{} rows with the progress {}", ids.size(), next);
    committed_ = next;
    return {};
  }

  Result<void> step() {
    if (one_in(8)) {
      auto flushed = store_->flush();
      if (flushed) flushed_ = committed_;
      return allowed(flushed);
    }
    // What could not be committed stays in the batch.
    if (batch_.row_count() == 0) MR_TRY(fill_batch());
    auto committed = store_->commit(batch_);
    if (committed) committed_ = filled_;
    return allowed(committed);
  }

  Result<void> fill_batch() {
    filled_ = committed_ + kRowsOfCommit;
    const std::string picture(below(one_in(4) ? 9'000 : 100), 'p');
    for (int64_t id = committed_; id < filled_; ++id) {
      auto key = bigint(id);
      const CellValue values[] = {"x", key, std::nullopt, picture};
      MR_TRY(batch_.upsert(*table_, values, {1}));
    }
    batch_.set_progress(*table_, "t", PartitionId(0), {.next = Offset(filled_)});
    return {};
  }

  // An error of the disk; RocksDB calls it corruption where its folder cannot be listed.
  static Result<void> allowed(Result<void> done) {
    if (!done && (done.error().code() == ErrorCode::kIo ||
                  done.error().message().find("IO error") != std::string::npos))
      return {};
    return done;
  }

  std::mt19937_64 random_;
  SimulatedDisk disk_;
  Logger logger_{LogFormat::kText, LogLevel::kError, [](std::string_view) {}};
  Store::Options options_;
  std::unique_ptr<Store> store_;
  TablePtr table_;
  Batch batch_;
  bool made_ = false;
  int64_t filled_ = 0;
  int64_t committed_ = 0;
  int64_t flushed_ = 0;
};

TEST(DiskEnvTest, ACrashLeavesWholeCommitsUpToOneOfThem) {
  run_seeds(30, [](uint64_t seed) { return StoreRun(seed).run(); });
}

TEST(DiskEnvTest, AFlushThatIsDoneIsOnDiskAlsoAfterAnErrorOfOneBefore) {
  Logger logger(LogFormat::kText, LogLevel::kError, [](std::string_view) {});
  for (uint64_t call = 1; call <= 40; ++call) {
    SimulatedDisk disk(call);
    disk.keep_append_order("/store");
    auto open = [&] {
      return *Store::open("/store", logger, {.write_each_commit = true, .disk = &disk});
    };
    auto store = open();
    auto table = *store->create_table(people());
    auto commit = [&](int64_t next) {
      Batch batch;
      batch.set_progress(*table, "t", PartitionId(0), {.next = Offset(next)});
      return store->commit(batch).has_value();
    };
    ASSERT_TRUE(commit(1));
    disk.plan(1, Fault::kNoSpace);
    ASSERT_FALSE(store->flush());
    for (int64_t next = 2; next <= 7; ++next) ASSERT_TRUE(commit(next));
    disk.plan(call, Fault::kError);
    bool flushed = store->flush().has_value();
    disk.plan(1, Fault::kDeath);
    store.reset();
    disk.crash();
    store = open();
    auto progress = *store->progress(*table, "t", PartitionId(0));
    ASSERT_TRUE(progress);
    EXPECT_TRUE(!flushed || progress->next.value == 7) << "call " << call;
  }
}

TEST(DiskEnvTest, ASeedMakesTheSameCallsEachTime) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    StoreRun first(seed);
    StoreRun second(seed);
    ASSERT_TRUE(first.run());
    ASSERT_TRUE(second.run());
    EXPECT_EQ(first.trace(), second.trace()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace millrace::store
