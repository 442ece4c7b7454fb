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

// Each item's hash; of items that are equal another one each.
std::vector<uint64_t> hashes_of(std::span<const std::string_view> items) {
  std::vector<uint64_t> hashes;
  std::unordered_set<uint64_t> here;
  for (auto item : items) {
    uint64_t hash = SeenItems::hash(item);
    while (!here.insert(hash).second) hash = SeenItems::hash_again(hash);
    hashes.push_back(hash);
  }
  return hashes;
}

// Of a page: its items in their order.
uint64_t page_hash(std::span<const uint64_t> hashes) {
  return SeenItems::hash({reinterpret_cast<const char*>(hashes.data()), hashes.size_bytes()});
}

}  // namespace

Cursor Pager::first() const {
  Cursor cursor;
  if (http_.page && http_.page->by == PageBy::kNumber) cursor.page = http_.page->first;
  return cursor;
}

Result<Pager::Step> Pager::step(const Cursor& cursor, std::span<const std::string_view> items,
                                std::string_view next) {
  if (cursor.look == Look::kAhead) return look_ahead(cursor, items);
  Step step{.cursor = cursor, .fresh = {}};
  auto arrived = arrive(cursor, items, next, step);
  turn_page(arrived, next, step);
  if (http_.since) {
    note_values(arrived, items, step);
    if (step.is_last) begin_window(step);
  }
  if (empty_pages_ == limits::kEmptyPagesMax) {
    step.is_last = true;
    empty_pages_ = 0;
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

// Takes nothing: behind a page that is not full, a new page only says that there is one. By now
// the page itself may have filled up, so it is read once more before the new one.
Pager::Step Pager::look_ahead(const Cursor& cursor, std::span<const std::string_view> items) const {
  Step step{.cursor = cursor, .fresh = std::vector<uint8_t>(items.size())};
  // Some APIs answer what is past the end with the last page.
  step.is_last = items.empty() || page_hash(hashes_of(items)) == cursor.page_hash;
  step.cursor.look = step.is_last ? Look::kAtPage : Look::kAgain;
  if (step.is_last && http_.since) begin_window(step);
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
  arrived.hashes = hashes_of(items);
  for (size_t i = 0; i < items.size(); ++i) {
    if (!cursor.seen.contains(arrived.hashes[i])) continue;
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
      return count_on(arrived, step);
    case PageBy::kOffset:
      step.is_last = arrived.count == 0;
      step.cursor.offset += static_cast<int64_t>(arrived.count);
      return;
    case PageBy::kCursor:
    case PageBy::kLink:
      return follow(arrived, next, step);
  }
}

void Pager::count_on(const Arrived& arrived, Step& step) const {
  auto& cursor = step.cursor;
  bool is_full = !is_short(arrived.count) || cursor.look == Look::kAgain;
  cursor.look = Look::kAtPage;
  if (is_full) {
    ++cursor.page;
    if (!http_.since) cursor.seen.clear();
    return;
  }
  remember_page(arrived, step);
  step.is_last = arrived.count == 0;
  if (step.is_last) return;
  cursor.look = Look::kAhead;
  cursor.page_hash = page_hash(arrived.hashes);
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
    if (text && *text) values[i] = parse_since_value((*text)->text);
    if (!values[i]) {
      ++step.without_value;
      cursor.seen.add(arrived.hashes[i], kThisPass);
      continue;
    }
    // Of texts that differ only past a millionth, the smaller.
    bool replaces = !largest || values[i]->position > largest->position ||
                    (values[i]->position == largest->position && (*text)->text < cursor.largest);
    if (!replaces) continue;
    largest = values[i];
    cursor.largest = std::move((*text)->text);
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
  if (cursor.look != Look::kAhead) return;
  // Unless this page is read once more.
  for (size_t i = 0; i < items.size(); ++i)
    if (values[i]) cursor.seen.add(arrived.hashes[i], values[i]->position);
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
