// A store in a folder of its own, with a clock that stands still, for the store's tests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/clock.h"
#include "store/store.h"
#include "store/test_tables.h"

namespace millrace::store {

inline constexpr int64_t kNowS = 1'700'000'000;
inline constexpr int64_t kNowUs = kNowS * 1'000'000;

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    path_ = testing::TempDir() + "millrace_store_XXXXXX";
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
    folder_ = path_ + "/store";
    reopen();
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(path_);
  }

  void reopen(bool read_only = false) {
    store_.reset();
    auto opened = Store::open(folder_, logger_, {.read_only = read_only, .clock = &clock_});
    ASSERT_TRUE(opened) << opened.error().message();
    store_ = *std::move(opened);
  }

  // Rows as "a|b|c" in the order of the scan; an absent value is "-".
  static std::vector<std::string> rows_of(Result<Scan> scan, size_t columns) {
    std::vector<std::string> rows;
    EXPECT_TRUE(scan) << scan.error().message();
    for (;;) {
      auto more = scan->next();
      EXPECT_TRUE(more) << more.error().message();
      if (!more || !*more) return rows;
      std::string row;
      for (size_t i = 0; i < columns; ++i) {
        auto value = scan->value(i);
        row += (i == 0 ? "" : "|") + (value ? std::string(*value) : "-");
      }
      rows.push_back(row);
    }
  }
  int64_t count(const TablePtr& table, TokenRange range = {}) {
    return static_cast<int64_t>(rows_of(store_->scan(table, {}, range), 0).size());
  }
  void put_person(const TablePtr& table, int64_t id, CellValue name, CellValue email,
                  WriteTime time = {1}, int32_t ttl_s = 0) {
    auto key = bigint(id);
    const CellValue values[] = {name, key, email, std::nullopt};
    auto upserted = batch_.upsert(*table, values, time, ttl_s);
    ASSERT_TRUE(upserted) << upserted.error().message();
  }
  void erase_person(const TablePtr& table, int64_t id, WriteTime time) {
    auto key = bigint(id);
    const std::string_view keys[] = {key};
    auto erased = batch_.erase(*table, keys, time, kNowS + 60);
    ASSERT_TRUE(erased) << erased.error().message();
  }
  void commit() {
    auto committed = store_->commit(batch_);
    ASSERT_TRUE(committed) << committed.error().message();
    ASSERT_EQ(batch_.row_count(), 0u);
  }
  std::vector<std::string> person(const TablePtr& table, int64_t id) {
    auto key = bigint(id);
    const std::string_view keys[] = {key};
    constexpr uint32_t kColumns[] = {0, 2, 3};
    return rows_of(store_->read(table, kColumns, keys), 3);
  }

  Logger logger_{LogFormat::kText, LogLevel::kWarning};
  io::ManualClock clock_{kNowUs};
  std::string path_;
  std::string folder_;
  std::unique_ptr<Store> store_;
  Batch batch_;
};

}  // namespace millrace::store
