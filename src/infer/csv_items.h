// The rows of a CSV text as items.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace millrace::infer {

// One JSON object a row, in one line, with the first row's names as keys (RFC 4180; semicolons or
// tabs where the first row has no comma). A column is of numbers or booleans where all its fields
// look like one, else of strings; an empty field is not there.
// Errors: kInvalid, a quote without its end, a row with more fields than the first.
Result<std::vector<std::string>> csv_items(std::string_view text);

}  // namespace millrace::infer
