// One segment: a file of batches, preallocated, and the sparse index of it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "base/logger.h"
#include "io/file.h"
#include "log/index_file.h"
#include "log/log.h"
#include "record/record.h"

namespace millrace::log {

// Where a run of whole batches ends.
struct Extent {
  Offset end;          // one past the last record
  uint64_t bytes = 0;  // from the start of the file
  int64_t max_timestamp_ms = INT64_MIN;
};

// Three sides, and what keeps each to itself: the writer (write, seal, cut_file: one thread at a
// time, by the partition's write lock), the flusher (flush: one at a time, by the partition's group
// commit) and readers (everything const; any number). Readers see what was flushed and then shown.
class Segment {
 public:
  // The files' names: 20 digits and a suffix. nullopt: not the name of a segment file.
  static std::optional<Offset> base_offset_of(std::string_view file_name);

  static std::string path_of(const std::string& folder, Offset base_offset);
  static std::string index_path_of(const std::string& folder, Offset base_offset);
  // Those of a partition's folder, ascending. Errors: kCorrupt (there is none), kIo.
  static Result<std::vector<Offset>> bases_in(io::Disk& disk, const std::string& folder);

  // Makes the files of an empty segment, whose names are durable when it returns. `spare`: a file
  // of zeros in the folder that becomes the segment's, and is empty once it has; empty: a new one
  // is made.
  static Result<std::shared_ptr<Segment>> create(const std::string& folder, Offset base_offset,
                                                 std::string& spare, const Options& options,
                                                 Logger& logger);
  // Opens and recovers. `next_base`: where the next segment begins, so that this one must be whole
  // up to there; nullopt for the last one, whose torn tail is cut. Errors: kCorrupt, kIo.
  static Result<std::shared_ptr<Segment>> open(const std::string& folder, Offset base_offset,
                                               std::optional<Offset> next_base,
                                               const Options& options, Logger& logger);
  // Removes the files, durably. With `keep_file` the segment's own stays as a spare: its new path;
  // otherwise empty.
  static Result<std::string> remove(io::Disk& disk, const std::string& folder, Offset base_offset,
                                    bool keep_file);
  // Whether it is the name of a spare; of which segment it names the index.
  static bool is_spare(std::string_view file_name);
  static std::optional<Offset> index_of(std::string_view file_name);

  Offset base_offset() const { return base_offset_; }
  Extent written() const;
  Extent shown() const;

  bool has_room(size_t batch_bytes) const;
  // Gives the file its disk space; an error leaves the segment as it was.
  Result<void> reserve(size_t batch_bytes);
  // Appends a checked batch as the next one. Not for use after an error.
  Result<void> write(std::string_view batch, const record::BatchHeader& header);
  // Makes what was written before the call durable. Not for use after an error.
  Result<Extent> flush();
  // Lets readers see what is flushed.
  void show();
  // Marks the end, if all is flushed: nothing will follow.
  void seal();
  // Cuts the file where `kept` ends, as of extent_before(); all is flushed. Then
  // forget_behind(kept), and writes may follow.
  Result<void> cut_file(const Extent& kept);
  void forget_behind(const Extent& kept);

  // Makes all of the file zeros, durably, once it is a spare that nobody else has any more.
  Result<void> clear();

  // The largest timestamp of the first batch; nullopt: none is shown.
  Result<std::optional<int64_t>> first_timestamp_ms() const;
  // See Partition::read; `from` is before shown().end. No other segment's batches.
  Result<std::string_view> read(Offset from, size_t bytes_max, std::string& buffer) const;
  // What is before `end`, where a batch begins or the shown end is. Errors: kInvalid, kCorrupt.
  Result<Extent> extent_before(Offset end) const;
  // The base offset of the first batch shown with this timestamp or a later one.
  Result<std::optional<Offset>> offset_at(int64_t timestamp_ms) const;

 private:
  struct Place {
    uint64_t position = 0;       // where a batch begins
    Offset base_offset;          // of that batch
    uint64_t next_position = 0;  // of the index row after it, or the shown end
    uint64_t shown_bytes = 0;
  };

  Segment(io::File file, std::string index_path, Offset base_offset, const Options& options,
          Logger& logger);
  Result<void> recover(std::optional<Offset> next_base);
  Result<void> cut_stale_tail();
  void note_written(const record::BatchHeader& header);
  void write_rows(const Extent& flushed);
  void add_end_row();
  Place place_of(Offset from) const;
  std::unexpected<Error> corrupt(uint64_t position, std::string_view why) const;

  io::File file_;
  const std::string index_path_;
  const Offset base_offset_;
  const Options options_;
  Logger& logger_;

  std::optional<IndexFile> index_;  // while rows may follow
  uint64_t allocated_bytes_ = 0;

  mutable std::mutex mutex_;  // short: never held during I/O
  Extent written_;
  Extent flushed_;
  Extent shown_;
  // The first is implied, {base_offset_, 0}, and not in the file.
  std::vector<IndexRow> rows_;
};

}  // namespace millrace::log
