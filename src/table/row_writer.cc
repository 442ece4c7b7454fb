#include "table/row_writer.h"

#include <limits>

#include "table/cell.h"

namespace millrace::table {
namespace {

constexpr size_t kAbsent = std::numeric_limits<size_t>::max();

bool is_text(const sql::VectorView& column) {
  return column.type().kind == schema::Kind::kVarchar || column.type().kind == schema::Kind::kBlob;
}

}  // namespace

RowWriter::RowWriter(store::TablePtr table, const schema::Columns& columns, store::Batch& batch)
    : table_(std::move(table)), batch_(batch), column_count_(columns.size()) {
  for (const auto& wanted : table_->definition().columns) {
    column_of_.push_back(kAbsent);
    for (size_t i = 0; i < columns.size(); ++i)
      if (columns[i].name == wanted.name) column_of_.back() = i;
  }
  values_.resize(column_of_.size());
}

void RowWriter::begin(std::span<const store::WriteTime> times, int64_t forget_at_s) {
  times_ = times;
  forget_at_s_ = forget_at_s;
}

Result<void> RowWriter::erase(size_t record, const sql::Rows& key, size_t row) {
  std::vector<std::string> values;
  for (const auto& column : key.columns) {
    auto& value = values.emplace_back();
    if (is_text(column))
      value = column.text(row);
    else
      append_cell(column, row, value);
  }
  std::vector<std::string_view> views(values.begin(), values.end());
  return batch_.erase(*table_, views, times_[record], forget_at_s_);
}

int32_t RowWriter::ttl_of(const sql::Rows& rows, size_t row) const {
  if (rows.columns.size() == column_count_ || !rows.columns[column_count_].valid(row)) return 0;
  return static_cast<int32_t>(rows.columns[column_count_].value<int64_t>(row));
}

Result<void> RowWriter::rows(const sql::Rows& rows, std::span<const int32_t> record_of,
                             std::span<const uint8_t> keep) {
  for (size_t row = 0; row < rows.count; ++row) {
    if (keep[row] == 0) continue;
    scratch_.clear();
    in_scratch_.clear();
    for (size_t i = 0; i < column_of_.size(); ++i) {
      values_[i].reset();
      if (column_of_[i] == kAbsent) continue;
      const auto& column = rows.columns[column_of_[i]];
      if (!column.valid(row)) continue;
      if (is_text(column)) {
        values_[i] = column.text(row);
      } else {
        in_scratch_.emplace_back(i, scratch_.size());
        append_cell(column, row, scratch_);
      }
    }
    // Views are taken when the scratch no longer grows.
    size_t end = scratch_.size();
    for (auto at = in_scratch_.rbegin(); at != in_scratch_.rend(); ++at) {
      values_[at->first] = std::string_view(scratch_).substr(at->second, end - at->second);
      end = at->second;
    }
    auto time = times_[static_cast<size_t>(record_of[row])];
    MR_TRY(batch_.upsert(*table_, values_, time, ttl_of(rows, row)));
  }
  return {};
}

}  // namespace millrace::table
