// What is gone from a table: rows whose time is over, and rows that were erased.
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include "store/key.h"
#include "store/rocks.h"
#include "store/test_store.h"

namespace millrace::store {
namespace {

class ExpiryTest : public StoreTest {};

TEST_F(ExpiryTest, ExpiredCellsReadAsAbsent) {
  auto table = *store_->create_table(people());
  put_person(table, 1, "gone", "gone", {kNowUs - 10'000'000}, 5);
  put_person(table, 2, "stays", "stays", {kNowUs}, 3600);
  put_person(table, 3, "old", "kept", {1});
  commit();
  put_person(table, 3, "hides the old one", std::nullopt, {kNowUs - 10'000'000}, 5);
  commit();
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(person(table, 1).empty());
    EXPECT_EQ(person(table, 2), std::vector<std::string>{"stays|stays|-"});
    // The newer marker expired, but the row has a live cell.
    EXPECT_EQ(person(table, 3), std::vector<std::string>{"-|kept|-"});
    EXPECT_EQ(count(table), 2);
    ASSERT_TRUE(store_->flush());
  }
}

TEST_F(ExpiryTest, ARowIsGoneTheSecondItsTimeIsOver) {
  auto table = *store_->create_table(people());
  put_person(table, 1, "a", "b", {kNowUs}, 5);
  commit();
  clock_.advance(std::chrono::milliseconds(4'999));
  EXPECT_EQ(count(table), 1);
  EXPECT_EQ(person(table, 1).size(), 1u);
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(count(table), 0);
  EXPECT_TRUE(person(table, 1).empty());
}

TEST_F(ExpiryTest, AnErasedRowIsGoneAndOlderWritesDoNotBringItBack) {
  auto table = *store_->create_table(people());
  put_person(table, 1, "a", "b", {10});
  put_person(table, 2, "other", "stays", {10});
  commit();
  erase_person(table, 1, {20});
  commit();
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(person(table, 1).empty());
    EXPECT_EQ(count(table), 1);
    put_person(table, 1, "too old", "too old", {19});
    commit();
    EXPECT_TRUE(person(table, 1).empty());
    ASSERT_TRUE(store_->flush());
  }
  put_person(table, 1, "new", std::nullopt, {21});
  commit();
  EXPECT_EQ(person(table, 1), std::vector<std::string>{"new|-|-"});
}

TEST_F(ExpiryTest, WithinOneTimestampWritesAndErasuresStandInTheOrderOfTheirRecords) {
  auto table = *store_->create_table(people());
  auto at = [](int64_t offset) { return WriteTime{5, {.offset = Offset(offset)}}; };
  put_person(table, 1, "before", "before", at(7));
  erase_person(table, 1, at(8));
  erase_person(table, 2, at(8));
  put_person(table, 2, "after", std::nullopt, at(9));
  commit();
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(person(table, 1).empty());
    EXPECT_EQ(person(table, 2), std::vector<std::string>{"after|-|-"});
    ASSERT_TRUE(store_->flush());
    // Written late, and earlier records all the same.
    put_person(table, 1, "late", "late", at(7));
    put_person(table, 2, "late", "late", at(7));
    erase_person(table, 2, at(8));
    commit();
  }
  put_person(table, 1, "again", std::nullopt, at(9));
  commit();
  EXPECT_EQ(person(table, 1), std::vector<std::string>{"again|-|-"});
}

TEST_F(ExpiryTest, CompactionDropsWhatHasExpired) {
  auto table = *store_->create_table(people());
  put_person(table, 1, "gone", "gone", {kNowUs - 10'000'000}, 5);
  put_person(table, 2, "stays", "stays", {kNowUs}, 3600);
  put_person(table, 3, "erased", "erased", {1});
  erase_person(table, 3, {2});
  commit();
  clock_.advance(std::chrono::seconds(60));
  store_.reset();
  auto options = database_options(clock_);
  auto filter = make_expiry_filter(clock_);
  options.compaction_filter = filter.get();
  rocksdb::DB* opened = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, folder_, &opened).ok());
  std::unique_ptr<rocksdb::DB> db(opened);
  rocksdb::CompactRangeOptions all;
  all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  // The first makes the whole of a key's history one value, the second looks at that.
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(db->CompactRange(all, nullptr, nullptr).ok());
  int rows = 0;
  std::unique_ptr<rocksdb::Iterator> keys(db->NewIterator(rocksdb::ReadOptions()));
  for (keys->Seek(key_of_token(table->id(), INT64_MIN)); keys->Valid(); keys->Next()) ++rows;
  EXPECT_EQ(rows, 1);
  keys.reset();
  db.reset();
  reopen();
  EXPECT_EQ(person(store_->find_table("test", "people"), 2),
            std::vector<std::string>{"stays|stays|-"});
}

}  // namespace
}  // namespace millrace::store
