#include "topic/key.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "sql/json_writer.h"

namespace millrace::topic {
namespace {

using schema::Kind;

bool is_number(Kind kind) {
  return kind >= Kind::kTinyInt && kind <= Kind::kDecimal;
}

// What may stand in a JSON number, true or false: then no text can be more than one value.
bool is_bare(std::string_view text) {
  return text == "true" || text == "false" ||
         (!text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string_view::npos);
}

}  // namespace

bool can_be_key(const schema::Type& type) {
  return type.kind < Kind::kList;
}

schema::Columns columns_of(std::span<const std::string> key, const schema::Columns& columns) {
  schema::Columns of_key;
  for (const auto& name : key) {
    auto found = std::ranges::find(columns, name, &schema::Field::name);
    MR_CHECK(found != columns.end());
    of_key.push_back(*found);
  }
  return of_key;
}

KeyWriter::KeyWriter(const schema::Columns& columns, const std::vector<std::string>& key) {
  for (const auto& name : key) {
    auto found = std::ranges::find(columns, name, &schema::Field::name);
    MR_CHECK(found != columns.end());
    columns_.push_back(static_cast<size_t>(found - columns.begin()));
  }
}

bool KeyWriter::append(const sql::Rows& rows, size_t row, std::string& to) const {
  auto is_null = [&](size_t column) { return !rows.columns[column].valid(row); };
  if (columns_.empty() || std::ranges::any_of(columns_, is_null)) return false;
  if (columns_.size() == 1) {
    sql::append_text_value(rows.columns[columns_[0]], row, to);
    return true;
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    to += i == 0 ? '[' : ',';
    sql::append_json_value(rows.columns[columns_[i]], row, to);
  }
  to += ']';
  return true;
}

KeyReader::KeyReader(const schema::Columns& columns, std::span<const std::string> key)
    : columns_([&] {
        auto of_key = columns_of(key, columns);
        for (auto& column : of_key) {
          column.type.json_values = schema::kJsonString;
          column.nullable = false;
          column.required = false;
        }
        return of_key;
      }()),
      decoder_(columns_) {}

bool KeyReader::append_scalar(std::string_view text) {
  Kind kind = columns_[0].type.kind;
  bool is_floating = kind == Kind::kFloat || kind == Kind::kDouble;
  bool is_named = text == "NaN" || text == "Infinity" || text == "-Infinity";
  if ((is_number(kind) || kind == Kind::kBoolean) && !(is_floating && is_named)) {
    if (!is_bare(text)) return false;
    object_ += text;
  } else {
    sql::append_json_string(text, object_);
  }
  return true;
}

// Puts the key into object_, as an object with its columns.
bool KeyReader::object_of(std::string_view key) {
  object_ = "{";
  auto append_name = [&](size_t i) {
    if (i > 0) object_ += ',';
    sql::append_json_string(columns_[i].name, object_);
    object_ += ':';
  };
  if (columns_.size() == 1) {
    append_name(0);
    if (!append_scalar(key)) {
      error_ = fmt::format("expected {}", schema::to_sql(columns_[0].type));
      return false;
    }
  } else {
    array_ = key;
    array_.append(sql::kJsonPadding, '\0');
    auto items = splitter_->split(std::string_view(array_).substr(0, key.size()), {});
    if (!items || !key.starts_with('[') || items->size() != columns_.size()) {
      error_ = fmt::format("expected a JSON array of {} values", columns_.size());
      return false;
    }
    for (size_t i = 0; i < columns_.size(); ++i) {
      append_name(i);
      object_ += (*items)[i];
    }
  }
  object_ += '}';
  return true;
}

bool KeyReader::read(std::string_view key, std::span<sql::VectorWriter> writers) {
  bool good = object_of(key);
  if (good) {
    size_t size = object_.size();
    object_.append(sql::kJsonPadding, '\0');
    decoder_.begin(writers);
    good = decoder_.decode(std::string_view(object_).substr(0, size), 0);
    if (!good) error_ = decoder_.error();
  }
  if (!good) error_ = fmt::format("key '{}': {}", excerpt(key, 100), error_);
  return good;
}

}  // namespace millrace::topic
