#include "store/row.h"

#include <algorithm>

namespace millrace::store {
namespace {

// Lower bits of a cell's length.
constexpr uint64_t kOwnTiming = 1;
constexpr uint64_t kTombstone = 2;

void append_timing(std::string& to, Timing timing) {
  append_be(to, timing.timestamp_us);
  append_be(to, timing.expiry_s);
}

Timing read_timing(ByteReader& reader) {
  Timing timing;
  timing.timestamp_us = reader.be<int64_t>();
  timing.expiry_s = reader.be<int64_t>();
  return timing;
}

template <class T>
bool wins(const T& newer, const T& older) {
  return newer.timestamp_us >= older.timestamp_us;
}

const Cell& winner(const Cell& older, const Cell& newer) {
  if (newer.timing.timestamp_us != older.timing.timestamp_us)
    return newer.timing.timestamp_us > older.timing.timestamp_us ? newer : older;
  return older.tombstone && !newer.tombstone ? older : newer;
}

std::optional<Timing> winner(const std::optional<Timing>& older,
                             const std::optional<Timing>& newer) {
  if (!older || !newer) return older ? older : newer;
  return wins(*newer, *older) ? newer : older;
}

// Takes out what a deletion covers: older timestamps, and its own where it was written later.
void cover(Row& row, const std::optional<Timing>& deletion, bool written_later) {
  if (!deletion) return;
  auto covered = [&](const Timing& timing) {
    return timing.timestamp_us < deletion->timestamp_us ||
           (written_later && timing.timestamp_us == deletion->timestamp_us);
  };
  if (row.marker && covered(*row.marker)) row.marker.reset();
  std::erase_if(row.cells, [&](const Cell& cell) { return covered(cell.timing); });
}

Row reconcile_cells(const Row& older, const Row& newer) {
  Row row;
  row.marker = winner(older.marker, newer.marker);
  row.deletion = winner(older.deletion, newer.deletion);
  row.cells.reserve(std::max(older.cells.size(), newer.cells.size()));
  auto a = older.cells.begin();
  auto b = newer.cells.begin();
  while (a != older.cells.end() || b != newer.cells.end()) {
    if (b == newer.cells.end() || (a != older.cells.end() && a->column < b->column)) {
      row.cells.push_back(*a++);
    } else if (a == older.cells.end() || b->column < a->column) {
      row.cells.push_back(*b++);
    } else {
      row.cells.push_back(winner(*a++, *b++));
    }
  }
  return row;
}

}  // namespace

bool Row::parse(std::string_view bytes) {
  marker.reset();
  deletion.reset();
  cells.clear();
  ByteReader reader(bytes);
  char flags = static_cast<char>(reader.be<uint8_t>());
  if ((flags & kRowFormatMask) != kRowFormat) return false;
  Timing base;
  base.timestamp_us = reader.be<int64_t>();
  if ((flags & kHasExpiry) != 0) base.expiry_s = reader.be<int64_t>();
  if ((flags & kHasMarker) != 0) marker = base;
  if ((flags & kHasDeletion) != 0) deletion = read_timing(reader);
  while (!reader.at_end()) {
    Cell cell;
    uint64_t column = reader.varint();
    uint64_t length = reader.varint();
    if (column > UINT32_MAX || (!cells.empty() && column <= cells.back().column)) return false;
    cell.column = static_cast<uint32_t>(column);
    cell.tombstone = (length & kTombstone) != 0;
    cell.timing = (length & kOwnTiming) != 0 ? read_timing(reader) : base;
    cell.bytes = reader.take(length >> 2);
    cells.push_back(cell);
  }
  return !reader.failed();
}

void Row::append_to(std::string& to) const {
  Timing base = marker ? *marker : cells.empty() ? Timing{} : cells.front().timing;
  bool own = std::ranges::any_of(
      cells, [&](const Cell& cell) { return cell.tombstone || cell.timing != base; });
  to += static_cast<char>(kRowFormat | (marker ? kHasMarker : 0) |
                          (base.expiry_s != kNever ? kHasExpiry : 0) |
                          (deletion ? kHasDeletion : 0) | (own ? kHasOwn : 0));
  append_be(to, base.timestamp_us);
  if (base.expiry_s != kNever) append_be(to, base.expiry_s);
  if (deletion) append_timing(to, *deletion);
  for (const auto& cell : cells) {
    bool has_own = cell.timing != base;
    append_varint(to, cell.column);
    append_varint(to, cell.bytes.size() << 2 | (has_own ? kOwnTiming : 0) |
                          (cell.tombstone ? kTombstone : 0));
    if (has_own) append_timing(to, cell.timing);
    to += cell.bytes;
  }
}

bool Row::live(int64_t now_s) const {
  return (marker && marker->live(now_s)) || std::ranges::any_of(cells, [&](const Cell& cell) {
           return !cell.tombstone && cell.timing.live(now_s);
         });
}

void Row::forget_expired(int64_t now_s) {
  if (marker && !marker->live(now_s)) marker.reset();
  if (deletion && !deletion->live(now_s)) deletion.reset();
  std::erase_if(cells, [&](const Cell& cell) { return !cell.timing.live(now_s); });
}

Row reconcile(const Row& older, const Row& newer) {
  if (!older.deletion && !newer.deletion) return reconcile_cells(older, newer);
  Row before = older;
  Row after = newer;
  cover(before, older.deletion, false);
  cover(before, newer.deletion, true);
  cover(after, newer.deletion, false);
  cover(after, older.deletion, false);
  return reconcile_cells(before, after);
}

void append_upsert_header(std::string& to, Timing base) {
  bool expires = base.expiry_s != kNever;
  to += static_cast<char>(kPlainRow | (expires ? kHasExpiry : 0));
  append_be(to, base.timestamp_us);
  if (expires) append_be(to, base.expiry_s);
}

}  // namespace millrace::store
