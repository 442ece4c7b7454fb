// How far a source has been read. It travels as a header of the last record of each batch that a
// source appends, so data and cursor are one write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "source/seen_items.h"

namespace millrace::source {

// The record header whose value is a cursor.
inline constexpr std::string_view kCursorHeader = "millrace.cursor";

// What the next request by number is for. A page that is not full may be the last, or the API gives
// fewer items a page than it is asked for: the page behind it tells.
enum class Look : uint8_t {
  kAtPage,  // its items
  kAhead,   // whether there is a page behind it
  kAgain,   // its items once more: there is, so this page fills up no further
};

struct Cursor {
  int64_t sequence = 0;  // pages appended so far
  int64_t page = 0;      // by number: of the next request
  int64_t offset = 0;    // by offset: likewise
  // Totals of all pages so far: items = records + filtered + dead_letters.
  int64_t items = 0;         // that arrived in responses and were new
  int64_t records = 0;       // that became records of the topic, perhaps several each (UNNEST)
  int64_t filtered = 0;      // left out by the `select`
  int64_t dead_letters = 0;  // refused, and kept with the reason
  int64_t redriven = 0;      // that were dead letters, and are records or filtered now
  // By cursor or link: what leads to the page of the next request; empty: it is the first.
  std::string next;
  // Values of the `since` column, as items have them; empty: none yet.
  std::string since;    // that this pass asks from
  std::string largest;  // of all items so far
  // Of the last response, and the fingerprint of its request: sent where that is asked again.
  std::string etag;
  std::string last_modified;
  std::string asked;
  SeenItems seen;  // that the API may send again
  // Not written: after a start the page itself is asked for.
  Look look = Look::kAtPage;
  uint64_t page_hash = 0;  // of the items of the page that is looked ahead from

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

// {"source":"random_users","sequence":3,"page":4,"offset":0,"items":300,"records":298,
// "filtered":1,"dead_letters":1,"redriven":0,"next":"…"}: one line, always all numbers, in this
// order; texts where they are not empty. `source` is the source's name, for people who look at the
// topic; parse_cursor does not read it.
std::string to_json(const Cursor& cursor, std::string_view source);

// Reads what to_json wrote, now or in another version: unknown fields are ignored, absent ones are
// 0 or empty. Error: kCorrupt where it is no JSON object, a number is none from 0 to 2^63-1, or
// another field is no text.
Result<Cursor> parse_cursor(std::string_view text);

}  // namespace millrace::source
