// The rows of a CSV text as items.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace millrace::infer {

struct CsvItems {
  // One JSON object a row, in one line, as sql::CsvSplitter makes it of columns that are numbers or
  // booleans where all their fields look like one, else strings; an empty field is not there.
  std::vector<std::string> items;
  std::vector<std::string> problems;  // one for each row that cannot be read
};

// Error: kInvalid, a first row that cannot be read or names a column twice.
Result<CsvItems> csv_items(std::string_view text);

}  // namespace millrace::infer
