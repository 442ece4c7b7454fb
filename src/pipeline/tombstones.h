// Records without a value: which of a table's rows each erases.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/plan.h"
#include "record/record.h"
#include "sql/chunk.h"
#include "table/row_writer.h"
#include "topic/key.h"

namespace millrace::pipeline {

// One thread.
class Tombstones {
 public:
  // Where `plan.erased_by` has no columns, nothing is erased.
  explicit Tombstones(const TablePlan& plan);

  struct Counts {
    size_t erased = 0;
    size_t failed = 0;
  };
  // Gives `writer` what those of `records` erase that have a key and no value. One whose key is
  // none of the table's is added to `failures`; they are in the records' order. Errors: those of
  // `writer`.
  Result<Counts> read(std::span<const record::RecordView> records, table::RowWriter& writer,
                      std::vector<sql::Failure>& failures);

 private:
  struct Columns {
    topic::KeyReader reader;
    sql::Chunk chunk;
    std::vector<size_t> order;  // by column of the primary key: its place in the record's key
  };
  bool read(const record::RecordView& record, sql::Failure& failure);
  // What a primary key cannot be; empty: it is fine.
  std::string refused(size_t column) const;

  std::optional<Columns> columns_;
  bool may_be_empty_ = false;  // the first column of the primary key
  std::vector<sql::VectorView> key_;
};

}  // namespace millrace::pipeline
