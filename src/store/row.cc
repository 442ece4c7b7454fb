#include "store/row.h"

#include <algorithm>

namespace millrace::store {
namespace {

// Lower bits of a cell's length.
constexpr uint64_t kOwnTiming = 1;
constexpr uint64_t kTombstone = 2;

void append_time(std::string& to, const WriteTime& time) {
  append_be(to, time.timestamp_us);
  auto offset = static_cast<uint64_t>(time.place.offset.value);
  append_varint(to, offset << 1 | (time.place.is_before() ? 1 : 0));
  if (time.place.is_before()) append_varint(to, static_cast<uint64_t>(time.place.dead_letter));
}

WriteTime read_time(ByteReader& reader) {
  WriteTime time;
  time.timestamp_us = reader.be<int64_t>();
  uint64_t place = reader.varint();
  time.place.offset = Offset(static_cast<int64_t>(place >> 1));
  if ((place & 1) != 0) time.place.dead_letter = static_cast<int64_t>(reader.varint());
  return time;
}

void append_timing(std::string& to, const Timing& timing) {
  append_time(to, timing.written);
  append_be(to, timing.expiry_s);
}

Timing read_timing(ByteReader& reader) {
  Timing timing;
  timing.written = read_time(reader);
  timing.expiry_s = reader.be<int64_t>();
  return timing;
}

const Cell& winner(const Cell& older, const Cell& newer) {
  if (newer.timing.written != older.timing.written)
    return newer.timing.written > older.timing.written ? newer : older;
  return older.tombstone && !newer.tombstone ? older : newer;
}

std::optional<Timing> winner(const std::optional<Timing>& older,
                             const std::optional<Timing>& newer) {
  if (!older || !newer) return older ? older : newer;
  return newer->written >= older->written ? newer : older;
}

// Takes out what the row's deletion covers.
void cover(Row& row) {
  if (!row.deletion) return;
  auto covered = [&](const Timing& timing) { return timing.written <= row.deletion->written; };
  if (row.marker && covered(*row.marker)) row.marker.reset();
  std::erase_if(row.cells, [&](const Cell& cell) { return covered(cell.timing); });
}

}  // namespace

Row reconcile(const Row& older, const Row& newer) {
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
  cover(row);
  return row;
}

bool Row::parse(std::string_view bytes) {
  marker.reset();
  deletion.reset();
  cells.clear();
  ByteReader reader(bytes);
  char flags = static_cast<char>(reader.be<uint8_t>());
  if ((flags & kRowFormatMask) != kRowFormat) return false;
  Timing base;
  base.written = read_time(reader);
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
  append_time(to, base.written);
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

void append_upsert_header(std::string& to, const Timing& base) {
  bool expires = base.expiry_s != kNever;
  to += static_cast<char>(kPlainRow | (expires ? kHasExpiry : 0));
  append_time(to, base.written);
  if (expires) append_be(to, base.expiry_s);
}

}  // namespace millrace::store
