// Rows as JSON objects, as topics keep them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/type.h"
#include "sql/record_format.h"

namespace millrace::sql {

// Writes one row after another. What it writes, a decoder with the same columns reads back to the
// same values: UUID and temporal types as ISO text, BLOB as base64, HUGEINT and DECIMAL as exact
// numbers, NaN and infinities as strings, MAP keys as strings, null as null.
class JsonWriter final : public RecordWriter {
 public:
  explicit JsonWriter(const schema::Columns& columns);

  // Appends the object of row `row` to `to`.
  void append(const Rows& rows, size_t row, std::string& to) const override;

 private:
  std::vector<std::string> keys_;  // `{"id":`, `,"first_name":`
};

// One value as JSON.
void append_json_value(const VectorView& column, size_t row, std::string& to);
// One value as text: a string's content, anything else its JSON text; for record keys and people.
void append_text_value(const VectorView& column, size_t row, std::string& to);
void append_json_string(std::string_view text, std::string& to);

}  // namespace millrace::sql
