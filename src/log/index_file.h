// The file of index rows beside a segment (docs/format/log.md, "Index").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "io/disk.h"

namespace millrace::log {

// A place between two batches of a segment. In a file it also says: every byte of the segment
// before `position` was on disk when this row was written.
struct IndexRow {
  Offset base_offset;  // of the batch that begins at `position`, or will
  uint32_t position = 0;
  int64_t max_timestamp_ms = INT64_MIN;  // of all batches of the segment before `position`
};

class IndexFile {
 public:
  static constexpr size_t kRowBytes = 24;

  // The rows at the front of the file whose CRCs and order are right; none if there is no file.
  static Result<std::vector<IndexRow>> load(io::Disk& disk, const std::string& path);
  // For appending behind the first `rows` rows; what follows them is cut, durably: one of those
  // rows must not come back behind a new one. Makes the file.
  static Result<IndexFile> open(io::Disk& disk, const std::string& path, size_t rows);

  // Not synced: a lost row only makes the next opening read more of the segment.
  Result<void> append(std::span<const IndexRow> rows);
  size_t row_count() const { return row_count_; }

 private:
  IndexFile(io::File file, size_t rows) : file_(std::move(file)), row_count_(rows) {}
  io::File file_;
  size_t row_count_ = 0;
};

}  // namespace millrace::log
