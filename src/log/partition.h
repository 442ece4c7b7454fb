// What is behind a Partition: its segments, the order of its writes, and group commit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "log/log.h"
#include "log/segment.h"

namespace millrace::log {

// What is written becomes flushed, then shown: three ends, each at or before the one before it.
//
// Locks: write_mutex_ gives writes their order and is held during their I/O; state_mutex_ is short
// and taken last. Readers take state_mutex_ only, to copy the list of segments.
class PartitionImpl {
 public:
  // Makes the folder and an empty first segment.
  static Result<void> create(const std::string& folder, const Options& options, Logger& logger);
  // `on_shown` is called, from any thread, whenever the high watermark has moved.
  static Result<std::unique_ptr<PartitionImpl>> open(std::string folder, const Options& options,
                                                     Logger& logger,
                                                     std::function<void()> on_shown);
  ~PartitionImpl();

  Result<ReservedSpace> reserve(size_t bytes);
  void release() { --reservations_; }
  Result<Offset> write(std::string_view batch);
  Result<void> flush();
  void show();
  Result<void> check_whole() const;
  Offset start_offset() const;
  Offset end_offset() const { return Offset(shown_end_.load(std::memory_order_acquire)); }
  uint64_t size_bytes() const;
  std::optional<int64_t> max_timestamp_ms() const;
  Result<std::string_view> read(Offset from, size_t bytes_max, std::string& buffer) const;
  Result<Offset> offset_at(int64_t timestamp_ms) const;
  Result<void> truncate(Offset end);
  Result<Offset> kept_from(const Retention& retention, int64_t now_ms);
  Offset segment_start(Offset offset) const;
  Result<void> remove_before(Offset offset);

 private:
  using Segments = std::vector<std::shared_ptr<Segment>>;

  PartitionImpl(std::string folder, const Options& options, Logger& logger,
                std::function<void()> on_shown);
  std::shared_ptr<const Segments> segments() const;
  void set_segments(Segments segments);
  Result<void> check_writable() const;
  // Ends all appends: nobody knows what the disk holds now. Returns the error.
  std::unexpected<Error> poison(Error error);
  Result<std::shared_ptr<Segment>> room_for(size_t bytes);
  Result<void> roll();
  bool is_between_writes() const;
  Result<void> cut_files(const Segments& segments, size_t count, const Extent& end);
  Result<void> remove_leftovers(const std::vector<std::string>& names) const;
  Result<std::shared_ptr<Segment>> take_first(Offset offset, std::string& set_aside);
  bool keep_spare(std::shared_ptr<Segment> segment);

  const std::string folder_;
  const Options options_;
  Logger& logger_;
  const std::function<void()> on_shown_;

  std::mutex remove_mutex_;  // one remover at a time; taken before write_mutex_
  std::mutex write_mutex_;
  bool rolling_ = false;  // a next segment was begun, and perhaps not made; under write_mutex_
  std::string spare_;     // the path of a file of zeros for the next segment, or empty

  mutable std::mutex state_mutex_;
  std::condition_variable flushed_;
  std::shared_ptr<const Segments> segments_;  // never empty; the last one takes the writes
  Offset written_end_;
  Offset flushed_end_;
  bool flushing_ = false;
  std::optional<Error> failure_;
  std::atomic<int64_t> shown_end_{0};
  std::atomic<int> reservations_{0};
};

}  // namespace millrace::log
