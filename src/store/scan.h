// The inside of a Scan: where its rows come from, and how one is taken apart.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <optional>
#include <vector>

#include "store/row.h"
#include "store/store.h"

namespace millrace::store {

// Takes packed rows apart into the columns asked for.
class RowReader {
 public:
  RowReader(TablePtr table, std::span<const uint32_t> columns, int64_t now_s);

  // True where the row is live; then value() has its columns until the next read(). `key` and
  // `row` have to live as long. Errors: kCorrupt.
  Result<bool> read(std::string_view key, std::string_view row);
  CellValue value(size_t i) const { return values_[slots_[i]]; }
  const Table& table() const { return *table_; }

 private:
  static constexpr uint32_t kNoSlot = UINT32_MAX;

  Result<bool> read_cells(std::string_view key, std::string_view row);
  bool read_key(std::string_view key);
  void set(uint64_t column, std::string_view bytes) {
    if (column < slot_of_.size() && slot_of_[column] != kNoSlot) values_[slot_of_[column]] = bytes;
  }
  std::unexpected<Error> corrupt(std::string_view what, std::string_view key) const;

  TablePtr table_;
  int64_t now_s_;
  std::vector<uint32_t> slots_;    // of the columns asked for, in that order
  std::vector<uint32_t> slot_of_;  // of a column, or kNoSlot
  std::vector<CellValue> values_;  // by slot
  bool reads_cells_ = false;
  size_t key_components_ = 0;                          // how many of the key have to be taken apart
  std::string key_bytes_;                              // those that were asked for
  std::vector<std::pair<uint32_t, size_t>> key_ends_;  // slot, end in key_bytes_
  Row row_;
};

struct Scan::Impl {
  Impl(TablePtr table, std::span<const uint32_t> columns, int64_t now_s)
      : reader(std::move(table), columns, now_s) {}

  Result<bool> next();

  RowReader reader;
  std::string lower;
  std::string upper;
  rocksdb::Slice upper_slice;  // RocksDB keeps a pointer to it
  std::unique_ptr<rocksdb::Iterator> iterator;
  bool positioned = false;
  // A read of one whole primary key has no iterator: its row, until next() has given it out.
  std::optional<rocksdb::PinnableSlice> single;
};

}  // namespace millrace::store
