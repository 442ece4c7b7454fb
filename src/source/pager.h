// From one page to the next: which items of a response are new, and what to ask for after it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "source/cursor.h"
#include "spec/spec.h"
#include "sql/json_field.h"

namespace millrace::source {

// What leads from one page to the next, by kind of paging (`page.by`):
//   number  the next number. A page without items is the last, and is asked for again. A page with
//           fewer items than `size` is the last where none is behind it, or the same again; it is
//           asked for again, and what it had already is left out.
//   offset  the offset after the items that came. A page without items is the last.
//   cursor  what the response says. Where it says nothing more, its page is the last, and is asked
//   link    for again; what it had already is left out.
//   none    every response is the last.
// A pass goes from the first page, or where the one before ended, to the last. With `since` every
// pass goes from the first page, and asks from the largest value that the one before saw. An API
// that always has a next page, with items or without, would keep a run from ending: it also ends
// after limits::kEmptyPagesMax pages without items, and the next one goes on there.
// One per source; one thread.
class Pager {
 public:
  explicit Pager(const spec::HttpSpec& http) : http_(http) {}

  // Where a source begins.
  Cursor first() const;

  struct Step {
    Cursor cursor;               // once the new items are kept; counts and sequence as they were
    std::vector<uint8_t> fresh;  // for each item whether it is new
    size_t fresh_count = 0;
    bool is_last = false;  // a run ends with this response
    // Of the response's items, those in which there is no value for `since`.
    size_t without_value = 0;
  };
  // `items`: JSON texts, each followed by sql::kJsonPadding readable bytes. `next`: what the
  // response says leads to the next page; empty where nothing does.
  // Error: kLimit, more items to remember than limits::kSeenItemsMax.
  Result<Step> step(const Cursor& cursor, std::span<const std::string_view> items,
                    std::string_view next);

 private:
  // A response's items, hashed where they may come again.
  struct Arrived {
    std::vector<uint64_t> hashes;
    size_t count = 0;
  };
  Step look_ahead(const Cursor& cursor, std::span<const std::string_view> items) const;
  Arrived arrive(const Cursor& cursor, std::span<const std::string_view> items,
                 std::string_view next, Step& step) const;
  // Whether the page of these items is the last, and the next request the same.
  bool is_asked_again(const Cursor& cursor, size_t count, std::string_view next) const;
  // Whether a page of so many items is none or not full.
  bool is_short(size_t count) const;
  void turn_page(const Arrived& arrived, std::string_view next, Step& step);
  void count_on(const Arrived& arrived, Step& step) const;
  void follow(const Arrived& arrived, std::string_view next, Step& step);
  void remember_page(const Arrived& arrived, Step& step) const;
  void note_values(const Arrived& arrived, std::span<const std::string_view> items, Step& step);
  void begin_window(Step& step) const;

  spec::HttpSpec http_;
  sql::FieldReader reader_;
  int empty_pages_ = 0;  // in a row
};

}  // namespace millrace::source
