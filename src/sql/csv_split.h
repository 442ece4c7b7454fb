// The rows of a CSV response (RFC 4180), as JSON.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "schema/type.h"

namespace millrace::sql {

// A row that cannot be read.
struct BadRow {
  size_t row = 0;
  std::string problem;
};

// Splits responses whose first row names the columns. Fields are parted by commas; by semicolons or
// tabs where the first row has no comma. Keeps memory between calls; belongs to one thread.
class CsvSplitter {
 public:
  explicit CsvSplitter(schema::Columns columns);
  ~CsvSplitter();

  struct Rows {
    // Each row as a JSON object, kJsonPadding readable bytes behind it: numbers and booleans where
    // the column has such a type and the field looks like one, quoted or not, else strings. An
    // empty field is not there, except, in a column of strings or bytes, as "" where it is quoted
    // or the column is not nullable. Of a bad row, its own bytes.
    std::span<const std::string_view> texts;
    std::span<const BadRow> bad;  // by row
  };
  // What is returned is valid until the next call, and as long as the response.
  // A row is bad that has more or fewer fields than the first, or a quote where none may be; of a
  // quoted field that never ends, its first line is one. Empty lines are no rows.
  // Errors: kInvalid where the first row names a column twice or none of `columns`.
  Result<Rows> split(std::string_view response);
  // The names in the first row, whatever the columns; of an empty response none. Error: kInvalid
  // where they cannot be read.
  Result<std::vector<std::string>> names(std::string_view response);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::sql
