// Opening a segment: what is there, what of it is whole, and what has to go. docs/format/log.md,
// "Recovery", says the rules.
#include <algorithm>
#include <cstring>

#include "log/batch_scan.h"
#include "log/segment.h"

namespace millrace::log {
namespace {

// Whether any byte from `position` on differs from zero.
Result<bool> holds_data(const io::File& file, uint64_t position) {
  constexpr size_t kChunkBytes = size_t{64} << 10;
  std::string chunk(kChunkBytes, '\0');
  for (;;) {
    auto found = MR_TRY(file.next_data(position));
    if (!found) return false;
    size_t got = MR_TRY(file.read_some_at(*found, chunk.data(), chunk.size()));
    if (got == 0) return false;
    // All zero: the first byte is, and each equals the one before it.
    if (chunk[0] != 0 || std::memcmp(chunk.data(), chunk.data() + 1, got - 1) != 0) return true;
    position = *found + got;
  }
}

// What was just found may be in the page cache only, as after kill -9. It is written again: where a
// sync failed before the process ended, Linux would not write it for the next one.
Result<void> make_durable(io::File& file, uint64_t from, uint64_t to) {
  constexpr size_t kChunkBytes = size_t{1} << 20;
  std::string chunk;
  while (from < to) {
    chunk.resize(static_cast<size_t>(std::min<uint64_t>(to - from, kChunkBytes)));
    MR_TRY(file.read_at(from, chunk.data(), chunk.size()));
    MR_TRY(file.write_at(from, chunk));
    from += chunk.size();
  }
  return file.sync_data();
}

}  // namespace

Result<void> Segment::recover(std::optional<Offset> next_base) {
  auto rows = MR_TRY(IndexFile::load(*options_.disk, index_path_));
  if (!rows.empty() && rows.front().base_offset <= base_offset_) rows.clear();
  size_t rows_in_file = rows.size();
  rows_.insert(rows_.end(), rows.begin(), rows.end());
  const IndexRow last = rows_.back();
  allocated_bytes_ = MR_TRY(file_.size());
  if (last.position > allocated_bytes_)
    return corrupt(allocated_bytes_,
                   fmt::format("it ends there, but {} bytes of it were on disk", last.position));
  written_ = {last.base_offset, last.position, last.max_timestamp_ms};

  bool found_more = false;
  if (!next_base || written_.end != *next_base) {
    BatchScan scan(file_, written_.bytes, written_.end, allocated_bytes_);
    while (auto header = MR_TRY(scan.next())) {
      note_written(*header);
      found_more = true;
      if (next_base && written_.end >= *next_base) break;
    }
    if (next_base && written_.end < *next_base)
      return corrupt(written_.bytes, fmt::format("{}, and the next segment begins at offset {}",
                                                 scan.why_stopped(), *next_base));
  }
  if (next_base && written_.end > *next_base)
    return corrupt(written_.bytes,
                   fmt::format("it goes on to offset {}, but the next segment begins at offset {}",
                               written_.end, *next_base));
  flushed_ = shown_ = written_;
  if (options_.read_only) return {};

  if (found_more) MR_TRY(make_durable(file_, last.position, written_.bytes));
  if (found_more || !next_base) {
    index_ = MR_TRY(IndexFile::open(*options_.disk, index_path_, rows_in_file));
    if (found_more) add_end_row();
    write_rows(flushed_);
  }
  if (next_base) {
    index_.reset();
    return {};
  }
  MR_TRY(cut_stale_tail());
  // A cut that the process before made and did not live to sync may be undone by a crash as well.
  return file_.sync_data();
}

// Behind a torn batch there may be whole ones, written but never synced. A later append that
// happens to end where one of them begins would bring it back to life, so all of it goes.
Result<void> Segment::cut_stale_tail() {
  if (!MR_TRY(holds_data(file_, written_.bytes))) return {};
  logger_.warning("cut what was being written when the process or the machine stopped",
                  {{"file", file_.path()},
                   {"position", static_cast<int64_t>(written_.bytes)},
                   {"next_offset", written_.end.value}});
  MR_TRY(file_.truncate(written_.bytes));
  allocated_bytes_ = written_.bytes;
  return {};
}

}  // namespace millrace::log
