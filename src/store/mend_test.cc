#include <fstream>

#include "store/test_store.h"

namespace millrace::store {
namespace {

constexpr PartitionId kPartition(0);

class MendTest : public StoreTest {
 protected:
  MendTest() {
    before_ = *store_->create_table(people("before"));
    table_ = *store_->create_table(people());
    after_ = *store_->create_table(people("after"));
  }
  // Rows of some keys, written several times, with progress and an open dead letter.
  void fill(const TablePtr& table) {
    for (int64_t timestamp : {1, 2, 3})
      for (int64_t id = 0; id < 500; ++id)
        put_person(table, id, fmt::format("name {}", timestamp), "email", {timestamp});
    batch_.set_progress(*table, "topic", kPartition,
                        {.next = Offset(1'501), .written = 1'500, .dead_letters = 1});
    batch_.open_dead_letter(*table, "topic", kPartition, Offset(7));
    commit();
  }
  void expect_full(const TablePtr& table) {
    EXPECT_EQ(count(table), 500);
    EXPECT_EQ(person(table, 17)[0], "name 3|email|-");
    EXPECT_EQ((*store_->progress(*table, "topic", kPartition))->next, Offset(1'501));
    EXPECT_EQ(store_->open_dead_letters(*table, "topic", kPartition, Offset(0), 10)->size(), 1u);
  }
  void expect_empty(const TablePtr& table) {
    EXPECT_EQ(count(table), 0);
    EXPECT_TRUE(person(table, 17).empty());
    EXPECT_FALSE(*store_->progress(*table, "topic", kPartition));
    EXPECT_TRUE(store_->open_dead_letters(*table, "topic", kPartition, Offset(0), 10)->empty());
  }
  void clear() {
    auto cleared = store_->clear_table(*table_);
    ASSERT_TRUE(cleared) << cleared.error().message();
  }

  TablePtr before_;
  TablePtr table_;
  TablePtr after_;
};

TEST_F(MendTest, NothingOfTheTableIsLeftAndOthersKeepAll) {
  enum class Where { kInMemory, kOnDisk, kBoth };
  for (auto where : {Where::kInMemory, Where::kOnDisk, Where::kBoth}) {
    for (const auto& table : {before_, table_, after_}) fill(table);
    if (where != Where::kInMemory) {
      ASSERT_TRUE(store_->flush());
    }
    if (where == Where::kBoth) fill(table_);
    expect_full(table_);
    clear();
    expect_empty(table_);
    reopen();
    expect_empty(table_);
    expect_full(before_);
    expect_full(after_);
  }
}

TEST_F(MendTest, WhatIsWrittenAgainStandsWithItsOldTimestamps) {
  fill(table_);
  erase_person(table_, 17, {10});
  commit();
  ASSERT_TRUE(store_->flush());
  clear();
  fill(table_);
  expect_full(table_);
  reopen();
  expect_full(table_);
  clear();
  expect_empty(table_);
}

TEST_F(MendTest, AStoreThatIsWholeVerifies) {
  fill(table_);
  ASSERT_TRUE(store_->flush());
  EXPECT_TRUE(store_->verify());
}

TEST_F(MendTest, AFlippedBitInAFileIsFound) {
  for (int64_t id = 0; id < 1'000; ++id) put_person(table_, id, std::string(100, 'n'), "email");
  commit();
  ASSERT_TRUE(store_->flush());
  store_.reset();
  // In the middle of the largest file there are rows; the catalog is read by the opening.
  std::filesystem::path largest;
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    if (entry.path().extension() == ".sst" &&
        (largest.empty() || entry.file_size() > std::filesystem::file_size(largest)))
      largest = entry.path();
  std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
  auto middle = static_cast<std::streamoff>(std::filesystem::file_size(largest) / 2);
  file.seekg(middle);
  auto byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(middle);
  file.put(byte);
  file.close();
  reopen(true);
  auto verified = store_->verify();
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code(), ErrorCode::kCorrupt);
  EXPECT_NE(verified.error().message().find(".sst"), std::string::npos)
      << verified.error().message();
}

}  // namespace
}  // namespace millrace::store
