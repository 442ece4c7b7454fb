// How far a source has been read. It travels as a header of the last record of each batch that a
// source appends, so data and cursor are one write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace millrace::source {

// The record header whose value is a cursor.
inline constexpr std::string_view kCursorHeader = "millrace.cursor";

struct Cursor {
  int64_t sequence = 0;  // pages appended so far
  int64_t page = 0;      // value of the page parameter of the next request
  // Totals of all pages so far: items = records + filtered + dead_letters.
  int64_t items = 0;         // that arrived in responses
  int64_t records = 0;       // that became records of the topic, perhaps several each (UNNEST)
  int64_t filtered = 0;      // left out by the `select`
  int64_t dead_letters = 0;  // refused, and kept with the reason

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

// {"source":"random_users","sequence":3,"page":4,"items":300,"records":298,"filtered":1,
// "dead_letters":1}: one line, always all fields, in this order. `source` is the source's name,
// for people who look at the topic; parse_cursor does not read it.
std::string to_json(const Cursor& cursor, std::string_view source);

// Reads what to_json wrote, now or in another version: unknown fields are ignored, absent ones are
// 0. Error: kCorrupt where it is no JSON object, or a field is no number from 0 to 2^63-1.
Result<Cursor> parse_cursor(std::string_view text);

}  // namespace millrace::source
