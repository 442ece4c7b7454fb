// The readers' side of a segment.
#include <algorithm>

#include "log/batch_scan.h"
#include "log/segment.h"

namespace millrace::log {
namespace {

constexpr size_t kPaddingBytes = 64;  // simdjson reads that far past what it parses

Result<std::string_view> read_padded(const io::File& file, uint64_t position, size_t size,
                                     std::string& buffer) {
  resize_for_overwrite(buffer, size + kPaddingBytes);
  std::fill_n(buffer.data() + size, kPaddingBytes, '\0');
  MR_TRY(file.read_at(position, buffer.data(), size));
  return std::string_view(buffer).substr(0, size);
}

}  // namespace

Segment::Place Segment::place_of(Offset from) const {
  std::lock_guard lock(mutex_);
  auto after =
      std::upper_bound(rows_.begin(), rows_.end(), from,
                       [](Offset offset, const IndexRow& row) { return offset < row.base_offset; });
  const IndexRow& row = *std::prev(after);
  uint64_t next = after == rows_.end() ? shown_.bytes : after->position;
  return {row.position, row.base_offset, std::min(next, shown_.bytes), shown_.bytes};
}

Result<std::string_view> Segment::read(Offset from, size_t bytes_max, std::string& buffer) const {
  Place place = place_of(from);
  // One read covers the batches to pass over, which end before the next index row, and what is
  // asked for.
  size_t passed_max =
      place.base_offset == from ? 0 : static_cast<size_t>(place.next_position - place.position);
  auto left = static_cast<size_t>(place.shown_bytes - place.position);
  size_t size = std::min(left, passed_max + std::max(bytes_max, record::kBatchHeaderSize));
  auto bytes = MR_TRY(read_padded(file_, place.position, size, buffer));

  uint64_t position = place.position;
  Offset expected = place.base_offset;
  auto header = check_header(bytes, expected);
  while (header && header->next_offset() <= from && header->size_bytes < bytes.size()) {
    bytes.remove_prefix(header->size_bytes);
    position += header->size_bytes;
    expected = header->next_offset();
    header = check_header(bytes, expected);
  }
  if (!header) return corrupt(position, header.error().message());
  if (header->next_offset() <= from) return corrupt(position, "its batches end too early");
  if (header->size_bytes > bytes.size()) {
    left = static_cast<size_t>(place.shown_bytes - position);
    size = std::min(left, std::max(bytes_max, header->size_bytes));
    bytes = MR_TRY(read_padded(file_, position, size, buffer));
  }

  size_t whole = 0;
  while (whole < bytes.size()) {
    auto rest = bytes.substr(whole);
    if (whole > 0) {
      // The last batch may be there in part only.
      if (rest.size() < record::kBatchHeaderSize) break;
      header = check_header(rest, expected);
      if (!header) return corrupt(position + whole, header.error().message());
      if (header->size_bytes > rest.size() || whole + header->size_bytes > bytes_max) break;
    }
    header = check_batch(rest, expected);
    if (!header) return corrupt(position + whole, header.error().message());
    whole += header->size_bytes;
    expected = header->next_offset();
  }
  return bytes.substr(0, whole);
}

Result<std::optional<Offset>> Segment::offset_at(int64_t timestamp_ms) const {
  IndexRow from;
  uint64_t end;
  {
    std::lock_guard lock(mutex_);
    if (shown_.max_timestamp_ms < timestamp_ms) return std::nullopt;
    auto after = std::lower_bound(
        rows_.begin(), rows_.end(), timestamp_ms,
        [](const IndexRow& row, int64_t time) { return row.max_timestamp_ms < time; });
    from = after == rows_.begin() ? rows_.front() : *std::prev(after);
    end = shown_.bytes;
  }
  BatchScan scan(file_, from.position, from.base_offset, end);
  while (scan.position() < end) {
    auto header = MR_TRY(scan.next());
    if (!header) return corrupt(scan.position(), scan.why_stopped());
    if (header->max_timestamp_ms >= timestamp_ms) return header->base_offset;
  }
  return std::nullopt;
}

Result<std::optional<int64_t>> Segment::first_timestamp_ms() const {
  if (shown().bytes == 0) return std::nullopt;
  std::string bytes(record::kBatchHeaderSize, '\0');
  MR_TRY(file_.read_at(0, bytes.data(), bytes.size()));
  auto header = check_header(bytes, base_offset_);
  if (!header) return corrupt(0, header.error().message());
  return header->max_timestamp_ms;
}

}  // namespace millrace::log
