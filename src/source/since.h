// The values of a `since` column: their order, and what to ask an API from.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "source/seen_items.h"
#include "spec/spec.h"

namespace millrace::source {

// A number, or a timestamp as base/time.h reads it, in millionths (a timestamp's are microseconds
// since 1970-01-01). Digits beyond are cut off. Texts that hold a number are numbers.
struct SinceValue {
  Int128 position = 0;
  bool is_number = false;
};
std::optional<SinceValue> parse_since_value(std::string_view text);

// What to send once `largest` has been seen, a text that parse_since_value() reads; and the
// position from which on the API may answer, in the order of the column's values.
struct SinceWindow {
  std::string text;
  Int128 position = 0;
};
SinceWindow since_window(const spec::SinceSpec& since, std::string_view largest);

}  // namespace millrace::source
