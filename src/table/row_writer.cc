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
    : table_(std::move(table)), batch_(batch) {
  for (const auto& wanted : table_->definition().columns) {
    column_of_.push_back(kAbsent);
    for (size_t i = 0; i < columns.size(); ++i)
      if (columns[i].name == wanted.name) column_of_.back() = i;
  }
  values_.resize(column_of_.size());
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
    const auto& record = records_[static_cast<size_t>(record_of[row])];
    MR_TRY(batch_.upsert(*table_, values_, record.timestamp_ms * 1'000));
  }
  return {};
}

}  // namespace millrace::table
