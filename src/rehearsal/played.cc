#include "rehearsal/played.h"

#include "sql/json_split.h"
#include "sql/json_writer.h"

namespace millrace::rehearsal {

PaddedRecords::PaddedRecords(std::span<const std::string> texts) {
  size_t size = 0;
  for (const auto& text : texts) size += text.size() + sql::kJsonPadding;
  bytes_.reserve(size);
  for (const auto& text : texts) {
    views_.emplace_back(std::string_view(bytes_.data() + bytes_.size(), text.size()));
    bytes_ += text;
    bytes_.append(sql::kJsonPadding, ' ');
  }
}

Result<void> PlayedRows::rows(const sql::Rows& rows, std::span<const int32_t> of,
                              std::span<const uint8_t> keep) {
  for (size_t i = 0; i < rows.count; ++i) {
    if (keep[i] == 0) continue;
    auto& row = played.emplace_back(rows.columns.size());
    for (size_t column = 0; column < rows.columns.size(); ++column)
      sql::append_json_value(rows.columns[column], i, row[column]);
    record_of.push_back(static_cast<size_t>(of[i]));
  }
  return {};
}

}  // namespace millrace::rehearsal
