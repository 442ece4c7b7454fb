#include "infer/csv_items.h"

#include <algorithm>

#include "sql/json_scalar.h"
#include "sql/json_writer.h"

namespace millrace::infer {
namespace {

using Fields = std::vector<std::string>;

Result<std::vector<Fields>> rows_of(std::string_view text) {
  auto first = text.substr(0, text.find('\n'));
  char separator = ',';
  if (!first.contains(',')) separator = first.contains(';') ? ';' : '\t';
  std::vector<Fields> rows;
  Fields fields(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quoted) {
      if (c != '"')
        fields.back() += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        fields.back() += text[++i];
      else
        quoted = false;
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == separator) {
      fields.emplace_back();
    } else if (c == '\n') {
      if (fields.size() > 1 || !fields[0].empty()) rows.push_back(std::move(fields));
      fields.assign(1, "");
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  if (quoted) return fail(ErrorCode::kInvalid, "a quote was opened and not closed");
  if (fields.size() > 1 || !fields[0].empty()) rows.push_back(std::move(fields));
  return rows;
}

// Whether every field of a column is empty or as `is` says, and one at least is.
bool all(const std::vector<Fields>& rows, size_t column, auto is) {
  bool any = false;
  for (size_t i = 1; i < rows.size(); ++i) {
    if (column >= rows[i].size() || rows[i][column].empty()) continue;
    if (!is(rows[i][column])) return false;
    any = true;
  }
  return any;
}

}  // namespace

Result<std::vector<std::string>> csv_items(std::string_view text) {
  auto rows = MR_TRY(rows_of(text));
  std::vector<std::string> items;
  if (rows.empty()) return items;
  const auto& names = rows[0];
  std::vector<bool> as_it_is;
  for (size_t i = 0; i < names.size(); ++i)
    as_it_is.push_back(
        all(rows, i, [](const auto& field) { return sql::is_json_number(field); }) ||
        all(rows, i, [](const auto& field) { return field == "true" || field == "false"; }));
  for (size_t row = 1; row < rows.size(); ++row) {
    if (rows[row].size() > names.size())
      return fail(ErrorCode::kInvalid, "row {} has {} fields, the first row {}", row + 1,
                  rows[row].size(), names.size());
    std::string item = "{";
    for (size_t i = 0; i < rows[row].size(); ++i) {
      if (rows[row][i].empty()) continue;
      if (item.size() > 1) item += ',';
      sql::append_json_string(names[i], item);
      item += ':';
      if (as_it_is[i])
        item += rows[row][i];
      else
        sql::append_json_string(rows[row][i], item);
    }
    items.push_back(item + "}");
  }
  return items;
}

}  // namespace millrace::infer
