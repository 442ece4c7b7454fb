// Rows of a SELECT -> upserts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "record/record.h"
#include "sql/transform.h"
#include "store/store.h"

namespace millrace::table {

// Puts rows into a store::Batch. The primary key's columns are never NULL in what it is given.
class RowWriter : public sql::TransformOutput {
 public:
  // `columns`: of the rows, each one of the table's.
  RowWriter(store::TablePtr table, const schema::Columns& columns, store::Batch& batch);

  // The records that the next rows come from, in step with their positions in the batch.
  void begin(std::span<const record::RecordView> records) { records_ = records; }
  Result<void> rows(const sql::Rows& rows, std::span<const int32_t> record_of,
                    std::span<const uint8_t> keep) override;

 private:
  store::TablePtr table_;
  store::Batch& batch_;
  std::vector<size_t> column_of_;  // by the table's column: the row's, or kAbsent
  std::span<const record::RecordView> records_;
  std::vector<store::CellValue> values_;
  std::string scratch_;
  std::vector<std::pair<size_t, size_t>> in_scratch_;  // column, and where its cell begins
};

}  // namespace millrace::table
