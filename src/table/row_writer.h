// Rows of a SELECT -> upserts; keys of records without a value -> erasures.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sql/transform.h"
#include "store/store.h"

namespace millrace::table {

// Puts rows into a store::Batch. The primary key's columns are never NULL in what it is given.
class RowWriter : public sql::TransformOutput {
 public:
  // `columns`: of the rows, each one of the table's. What follows them in the rows is their TTL.
  RowWriter(store::TablePtr table, const schema::Columns& columns, store::Batch& batch);

  // `times`: of the records that the next rows come from, in step with their positions in the
  // batch. `forget_at_s`: as of store::Batch::erase().
  void begin(std::span<const store::WriteTime> times, int64_t forget_at_s);
  // The record at position `record` erases the row whose primary key row `row` has. Its columns are
  // the primary key's, in the order of the table's definition.
  Result<void> erase(size_t record, const sql::Rows& key, size_t row);
  Result<void> rows(const sql::Rows& rows, std::span<const int32_t> record_of,
                    std::span<const uint8_t> keep) override;

 private:
  int32_t ttl_of(const sql::Rows& rows, size_t row) const;

  store::TablePtr table_;
  store::Batch& batch_;
  std::vector<size_t> column_of_;            // by the table's column: the row's, or kAbsent
  size_t column_count_;                      // of the rows, without a TTL
  std::span<const store::WriteTime> times_;  // by record
  int64_t forget_at_s_ = 0;
  std::vector<store::CellValue> values_;
  std::string scratch_;
  std::vector<std::pair<size_t, size_t>> in_scratch_;  // column, and where its cell begins
};

}  // namespace millrace::table
