#include "sql/json_writer.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/base64.h"
#include "base/time.h"
#include "base/uuid.h"
#include "sql/json_scalar.h"

namespace millrace::sql {
namespace {

using schema::Kind;

// Which bytes cannot stand in a JSON string as they are.
constexpr std::array<bool, 256> kEscaped = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

void append_escape(char c, std::string& to) {
  switch (c) {
    case '"':
      to += "\\\"";
      return;
    case '\\':
      to += "\\\\";
      return;
    case '\n':
      to += "\\n";
      return;
    case '\r':
      to += "\\r";
      return;
    case '\t':
      to += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(c));
  }
}

template <class T>
void append_number(T number, std::string& to) {
  fmt::format_int text(number);
  to.append(text.data(), text.size());
}

template <class T>
void append_floating(T number, std::string& to) {
  if (std::isfinite(number))
    fmt::format_to(std::back_inserter(to), "{}", number);
  else if (std::isnan(number))
    to += "\"NaN\"";
  else
    to += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
}

void append_quoted(std::string_view plain, std::string& to) {
  to += '"';
  to += plain;
  to += '"';
}

void append_list(const VectorView& column, size_t row, std::string& to) {
  auto list = column.value<ListValue>(row);
  to += '[';
  for (size_t i = 0; i < list.length; ++i) {
    if (i > 0) to += ',';
    append_json_value(column.child(0), list.offset + i, to);
  }
  to += ']';
}

void append_map(const VectorView& column, size_t row, std::string& to) {
  auto list = column.value<ListValue>(row);
  to += '{';
  for (size_t i = 0; i < list.length; ++i) {
    if (i > 0) to += ',';
    std::string key;
    append_text_value(column.child(0), list.offset + i, key);
    append_json_string(key, to);
    to += ':';
    append_json_value(column.child(1), list.offset + i, to);
  }
  to += '}';
}

void append_struct(const VectorView& column, size_t row, std::string& to) {
  to += '{';
  const auto& fields = column.type().children;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) to += ',';
    append_json_string(fields[i].name, to);
    to += ':';
    append_json_value(column.child(i), row, to);
  }
  to += '}';
}

}  // namespace

void append_json_string(std::string_view text, std::string& to) {
  to += '"';
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!kEscaped[static_cast<unsigned char>(text[i])]) [[likely]]
      continue;
    to.append(text, copied, i - copied);
    append_escape(text[i], to);
    copied = i + 1;
  }
  to.append(text, copied);
  to += '"';
}

void append_json_value(const VectorView& column, size_t row, std::string& to) {
  if (!column.valid(row)) {
    to += "null";
    return;
  }
  switch (column.type().kind) {
    case Kind::kVarchar:
      return append_json_string(column.text(row), to);
    case Kind::kBoolean:
      to += column.value<bool>(row) ? "true" : "false";
      return;
    case Kind::kTinyInt:
      return append_number(int{column.value<int8_t>(row)}, to);
    case Kind::kSmallInt:
      return append_number(int{column.value<int16_t>(row)}, to);
    case Kind::kInteger:
      return append_number(column.value<int32_t>(row), to);
    case Kind::kBigInt:
      return append_number(column.value<int64_t>(row), to);
    case Kind::kHugeInt:
      return append_exact(column.value<Int128>(row), 0, to);
    case Kind::kDecimal:
      return append_exact(column.decimal(row), column.type().scale, to);
    case Kind::kFloat:
      return append_floating(column.value<float>(row), to);
    case Kind::kDouble:
      return append_floating(column.value<double>(row), to);
    case Kind::kUuid: {
      char text[36];
      write_uuid(column.uuid(row), text);
      return append_quoted({text, sizeof text}, to);
    }
    case Kind::kDate:
      return append_quoted(format_json_date(column.value<int32_t>(row)), to);
    case Kind::kTime:
      return append_quoted(format_time_of_day(column.value<int64_t>(row)), to);
    case Kind::kTimestamp:
      return append_quoted(format_json_timestamp(column.value<int64_t>(row)), to);
    case Kind::kBlob:
      to += '"';
      append_base64(column.text(row), to);
      to += '"';
      return;
    case Kind::kList:
      return append_list(column, row, to);
    case Kind::kMap:
      return append_map(column, row, to);
    case Kind::kStruct:
      return append_struct(column, row, to);
  }
}

void append_text_value(const VectorView& column, size_t row, std::string& to) {
  if (column.valid(row) && column.type().kind == Kind::kVarchar) {
    to += column.text(row);
    return;
  }
  size_t before = to.size();
  append_json_value(column, row, to);
  if (to[before] == '"') {
    to.erase(before, 1);
    to.pop_back();
  }
}

JsonWriter::JsonWriter(const schema::Columns& columns) {
  for (const auto& column : columns) {
    std::string key(1, keys_.empty() ? '{' : ',');
    append_json_string(column.name, key);
    key += ':';
    keys_.push_back(std::move(key));
  }
}

void JsonWriter::append(const Rows& rows, size_t row, std::string& to) const {
  for (size_t i = 0; i < keys_.size(); ++i) {
    to += keys_[i];
    append_json_value(rows.columns[i], row, to);
  }
  if (keys_.empty()) to += '{';
  to += '}';
}

}  // namespace millrace::sql
