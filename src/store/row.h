// A row's cells as one RocksDB value, and how two of them become one.
//
//   format and flags, 1 byte | base time | [base expiry] | [deletion] | cells by column
//
// docs/format/store.md has the bytes. A time is a timestamp in microseconds and a record's place,
// which only order writes; expiries are seconds since 1970, and compared with the clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "store/write_time.h"

namespace millrace::store {

inline constexpr char kRowFormat = 0x10;  // upper half of the first byte
inline constexpr char kRowFormatMask = static_cast<char>(0xf0);
// Lower half: what the row has.
inline constexpr char kHasMarker = 1;    // it was inserted: it exists even without cells
inline constexpr char kHasExpiry = 2;    // the base timing expires
inline constexpr char kHasDeletion = 4;  // everything up to a time was deleted
inline constexpr char kHasOwn = 8;       // some cells have a timing of their own or are tombstones
// A row that nothing was deleted from and that never expires: it is live, whatever its cells.
inline constexpr char kPlainRow = kRowFormat | kHasMarker;
inline constexpr size_t kPlainPlace = 9;  // where its base time's place begins

inline constexpr int64_t kNever = INT64_MAX;

struct Timing {
  WriteTime written;
  int64_t expiry_s = kNever;  // of a tombstone: when it may be forgotten
  bool live(int64_t now_s) const { return now_s < expiry_s; }
  friend bool operator==(const Timing&, const Timing&) = default;
};

struct Cell {
  uint32_t column = 0;
  bool tombstone = false;
  Timing timing;
  std::string_view bytes;
};

// A parsed row; its cells point into the bytes it was parsed from.
struct Row {
  std::optional<Timing> marker;
  std::optional<Timing> deletion;  // expiry: when it may be forgotten
  std::vector<Cell> cells;         // by column, each once
  // False where the bytes are no row.
  bool parse(std::string_view bytes);
  void append_to(std::string& to) const;
  // It has a marker or a cell that is neither a tombstone nor expired.
  bool live(int64_t now_s) const;
  // Drops what has expired. Only right where no older write can be below it.
  void forget_expired(int64_t now_s);
  bool empty() const { return !marker && !deletion && cells.empty(); }
};

// `newer` was written later. Per cell (and marker) the higher time wins; on a tie a tombstone, then
// the later write. A deletion covers what has its time or a lower one, wherever it was written.
Row reconcile(const Row& older, const Row& newer);

// Writing an upsert: the header, then cells by ascending column.
void append_upsert_header(std::string& to, const Timing& base);
inline void append_cell(std::string& to, uint32_t column, std::string_view bytes) {
  append_varint(to, column);
  append_varint(to, bytes.size() << 2);
  to += bytes;
}

// Reads the cells of a row that has kPlainRow as its first byte: Each is (column, bytes).
// False where the bytes are no row.
template <class Each>
bool for_plain_cells(std::string_view row, Each each);

namespace internal {
inline bool read_varint(const char*& at, const char* end, uint64_t& value) {
  if (at == end) return false;
  auto byte = static_cast<unsigned char>(*at++);
  value = byte & 0x7f;
  for (unsigned shift = 7; (byte & 0x80) != 0; shift += 7) {
    if (at == end || shift > 56) return false;
    byte = static_cast<unsigned char>(*at++);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
  }
  return true;
}
}  // namespace internal

template <class Each>
bool for_plain_cells(std::string_view row, Each each) {
  if (row.size() < kPlainPlace) return false;
  const char* at = row.data() + kPlainPlace;
  const char* end = row.data() + row.size();
  uint64_t place = 0;
  uint64_t dead_letter = 0;
  if (!internal::read_varint(at, end, place)) return false;
  if ((place & 1) != 0 && !internal::read_varint(at, end, dead_letter)) return false;
  while (at != end) {
    uint64_t column = 0;
    uint64_t length = 0;
    if (!internal::read_varint(at, end, column) || !internal::read_varint(at, end, length))
      return false;
    if ((length & 3) != 0 || length >> 2 > static_cast<uint64_t>(end - at)) return false;
    length >>= 2;
    each(column, std::string_view(at, length));
    at += length;
  }
  return true;
}

}  // namespace millrace::store
