#include "source/pager.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "base/limits.h"
#include "base/text.h"
#include "source/since.h"

namespace millrace::source {

namespace {

using spec::PageBy;

// Items without a value for `since` stand after all others: those of this pass, of the last one.
constexpr Int128 kThisPass = std::numeric_limits<int64_t>::max() * Int128{1} << 62;
constexpr Int128 kLastPass = kThisPass - 1;

}  // namespace

Cursor Pager::first() const {
  Cursor cursor;
  if (http_.page && http_.page->by == PageBy::kNumber) cursor.page = http_.page->first;
  return cursor;
}

Result<Pager::Step> Pager::step(const Cursor& cursor, std::span<const std::string_view> items,
                                std::string_view next) {
  Step step{.cursor = cursor, .fresh = {}};
  auto arrived = arrive(cursor, items, next, step);
  turn_page(arrived, next, step);
  if (http_.since) {
    note_values(arrived, items, step);
    if (step.is_last) begin_window(step);
  }
  if (step.cursor.seen.size() > limits::kSeenItemsMax)
    return fail(ErrorCode::kLimit,
                "{} items may come again and would have to be remembered; at most {} can: {}",
                with_thousands(static_cast<int64_t>(step.cursor.seen.size())),
                with_thousands(limits::kSeenItemsMax),
                http_.since ? "take a 'since' column with finer values, or a shorter 'overlap'"
                            : "ask the API for fewer items a page");
  return step;
}

bool Pager::is_asked_again(const Cursor& cursor, size_t count, std::string_view next) const {
  if (!http_.page) return false;
  switch (http_.page->by) {
    case PageBy::kNumber:
      return is_short(count);
    case PageBy::kOffset:
      return false;
    case PageBy::kCursor:
    case PageBy::kLink:
      return next.empty() || next == cursor.next;
  }
  return false;
}

bool Pager::is_short(size_t count) const {
  return count < static_cast<size_t>(http_.page->size.value_or(1));
}

Pager::Arrived Pager::arrive(const Cursor& cursor, std::span<const std::string_view> items,
                             std::string_view next, Step& step) const {
  Arrived arrived{.hashes = {}, .count = items.size()};
  step.fresh.assign(items.size(), 1);
  step.fresh_count = items.size();
  // Of most pages nothing is to be remembered, and nothing known.
  if (!http_.since && cursor.seen.empty() && !is_asked_again(cursor, items.size(), next))
    return arrived;
  std::unordered_set<uint64_t> here;
  for (size_t i = 0; i < items.size(); ++i) {
    uint64_t hash = SeenItems::hash(items[i]);
    while (!here.insert(hash).second) hash = SeenItems::hash_again(hash);
    arrived.hashes.push_back(hash);
    if (!cursor.seen.contains(hash)) continue;
    step.fresh[i] = 0;
    --step.fresh_count;
  }
  return arrived;
}

void Pager::turn_page(const Arrived& arrived, std::string_view next, Step& step) {
  if (!http_.page) {
    step.is_last = true;
    return;
  }
  switch (http_.page->by) {
    case PageBy::kNumber:
      step.is_last = is_short(arrived.count);
      if (step.is_last) return remember_page(arrived, step);
      ++step.cursor.page;
      break;
    case PageBy::kOffset:
      step.is_last = is_short(arrived.count);
      step.cursor.offset += static_cast<int64_t>(arrived.count);
      return;
    case PageBy::kCursor:
    case PageBy::kLink:
      return follow(arrived, next, step);
  }
  if (!http_.since) step.cursor.seen.clear();
}

void Pager::follow(const Arrived& arrived, std::string_view next, Step& step) {
  empty_pages_ = arrived.count == 0 ? empty_pages_ + 1 : 0;
  step.is_last = is_asked_again(step.cursor, arrived.count, next);
  if (step.is_last) {
    empty_pages_ = 0;
    return remember_page(arrived, step);
  }
  step.cursor.next = next;
  if (!http_.since) step.cursor.seen.clear();
  // An API that always has a next page, with items or without, would keep a run from ending.
  if (empty_pages_ < limits::kEmptyPagesMax) return;
  step.is_last = true;
  empty_pages_ = 0;
}

// For when this page is asked for again.
void Pager::remember_page(const Arrived& arrived, Step& step) const {
  if (http_.since) return;
  step.cursor.seen.clear();
  for (auto hash : arrived.hashes) step.cursor.seen.add(hash, 0);
}

// Keeps the largest value, and the items at or after what it will be asked from.
void Pager::note_values(const Arrived& arrived, std::span<const std::string_view> items,
                        Step& step) {
  auto& cursor = step.cursor;
  std::vector<std::optional<SinceValue>> values(items.size());
  auto largest = parse_since_value(cursor.largest);
  for (size_t i = 0; i < items.size(); ++i) {
    auto text = reader_.read(items[i], http_.since->column);
    if (text) values[i] = parse_since_value(*text);
    if (!values[i]) {
      ++step.without_value;
      cursor.seen.add(arrived.hashes[i], kThisPass);
      continue;
    }
    // Of texts that differ only past a millionth, the smaller.
    bool replaces = !largest || values[i]->position > largest->position ||
                    (values[i]->position == largest->position && *text < cursor.largest);
    if (!replaces) continue;
    largest = values[i];
    cursor.largest = *text;
  }
  if (!largest) return;
  Int128 from = since_window(*http_.since, cursor.largest).position;
  for (size_t i = 0; i < items.size(); ++i)
    if (values[i] && values[i]->position >= from)
      cursor.seen.add(arrived.hashes[i], values[i]->position);
  // What lies before both this pass's window and the next one's does not come again.
  auto asked = parse_since_value(cursor.since);
  cursor.seen.revise(
      [&](Int128 position) { return position >= from || (asked && position <= asked->position); });
}

// The next pass asks from the largest value, and from the first page on.
void Pager::begin_window(Step& step) const {
  auto& cursor = step.cursor;
  auto start = first();
  cursor.page = start.page;
  cursor.offset = start.offset;
  cursor.next = start.next;
  cursor.since = cursor.largest;
  if (cursor.since.empty()) return;
  Int128 from = since_window(*http_.since, cursor.since).position;
  cursor.seen.revise([from](Int128& position) {
    if (position == kLastPass) return false;
    if (position == kThisPass) position = kLastPass;
    return position >= from;
  });
}

}  // namespace millrace::source
