// log: the embedded durable log. Topics, their partitions, and in each partition an ordered run of
// Kafka RecordBatches (v2) kept in segment files exactly as they travel. docs/format/log.md has the
// bytes.
//
// Called by topic/ and, for listings, by the doors through pipeline/. Leaves to others: what a
// record's value means, keys to partitions, consumer positions.
//
// Promises:
// - When append() returns, the batch is on disk (fdatasync) and visible to readers; what a reader
//   has seen is never taken back by a crash.
// - Concurrent appends share one fdatasync (group commit); no thread of the log's own.
// - Opening finds the end by CRC from the last index row on and cuts a torn tail; a bad batch
//   before it is corruption, reported with file and position, never cut. No byte is served whose
//   CRC is wrong.
// - Every function may be called from any thread. A Topic and a Partition live as long as the Log.
// - One process, one Log for a folder: the caller holds an io::DirectoryLock on it or above it.
// Limits: limits::kBatchBytesMax, kPartitionsMax, kTopicNameMax, kSegmentBytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/logger.h"
#include "base/uuid.h"
#include "io/disk.h"

namespace millrace::log {

class PartitionImpl;
class TopicImpl;

// Disk space that Partition::reserve() took. Until it is destroyed, kept_from() begins no new
// segment, where there would be none. May not outlive the partition.
struct ReleaseSpace {
  void operator()(PartitionImpl* partition) const;
};
using ReservedSpace = std::unique_ptr<PartitionImpl, ReleaseSpace>;

// How much of a partition is kept; what is left out sets no bound.
struct Retention {
  std::optional<std::chrono::milliseconds> time;  // since a record's timestamp
  std::optional<uint64_t> bytes;                  // of one partition
};

// One partition. Offsets from start_offset() to end_offset() - 1 can be read.
class Partition {
 public:
  explicit Partition(std::unique_ptr<PartitionImpl> impl);
  ~Partition();

  // Appends one encoded batch (record/) with base offset and leader epoch rewritten, and waits
  // until it is on disk. Returns the offset of its first record.
  // Errors: kLimit (too large), kInvalid (not one whole v2 batch with a right CRC), kIo. After a
  // kIo error of a write or sync the partition takes no more appends until it is opened again:
  // what the disk holds is then unknown. A disk too full for the next segment is kIo too, but
  // leaves the partition whole: try again when there is room.
  Result<Offset> append(std::string_view batch);

  // The parts of append(), for what goes to several partitions or to none. write() assigns offsets.
  Result<Offset> write(std::string_view batch);
  // Makes everything written so far durable, and not yet visible.
  Result<void> flush();
  // Makes everything flushed so far visible. What goes to several partitions is flushed in all
  // before it is shown in any, so nobody reads a half that a crash takes back.
  void show();
  // Whether all that was written is shown, when nobody writes. Fails (kIo) after an error that
  // leaves open what is on the disk: records that are not shown may be there at the next start, and
  // may not. Until then nothing is to be done that takes them for there or for gone.
  Result<void> check_whole() const;
  // Takes disk space for batches of this size together, so that write() does not find the disk
  // full. Nothing is written. Errors: kIo, and trying again may help.
  Result<ReservedSpace> reserve(size_t bytes);

  Offset start_offset() const;
  Offset end_offset() const;  // high watermark: one past the last durable record
  uint64_t size_bytes() const;
  // The largest timestamp of its records; nullopt where there is none.
  std::optional<int64_t> max_timestamp_ms() const;

  // Whole batches from the one that holds `from` on, into `buffer` (replaced): at least one batch
  // if there is any, at most `bytes_max` otherwise, always followed by 64 bytes of padding that
  // the returned view does not count. The first batch may begin before `from`. At the end: empty.
  // Errors: kNotFound (before start_offset() or past end_offset()), kCorrupt, kIo.
  Result<std::string_view> read(Offset from, size_t bytes_max, std::string& buffer) const;

  // The offset of the first batch that holds a record of this timestamp or later; end_offset()
  // if there is none. By the sparse time index, then batch headers.
  Result<Offset> offset_at(int64_t timestamp_ms) const;

  // Removes all records from `end` on, shown or not, as if never written; durable when it returns.
  // Only before anyone has read them: what is not shown yet is taken back so, and at a start half
  // of a page. A log for reading only passes over them. Errors: kInvalid (`end` is not where a
  // batch begins), kNotFound (before start_offset() or past end_offset()), kIo.
  Result<void> truncate(Offset end);

  // The first offset that `retention` keeps at `now_ms`, where a segment begins. Older ones are
  // past its time, or there are its bytes without them; the newest segment with records is kept
  // always. Begins a new segment where the first record of the last one is past the time, so that
  // its turn comes too; not while something is reserved or not shown. Errors: kCorrupt, kIo.
  Result<Offset> kept_from(const Retention& retention, int64_t now_ms);
  // Where the segment begins that holds `offset`: what remove_before(offset) makes the start.
  Offset segment_start(Offset offset) const;
  // Removes the segments all of whose records are before `offset`, durably and from the first on,
  // but never the newest with records. What a reader has found it reads to the end. After an error
  // of the folder the partition takes no more appends, as after one of append(). Errors: kIo.
  Result<void> remove_before(Offset offset);

 private:
  friend class TopicImpl;
  std::unique_ptr<PartitionImpl> impl_;
};

class Topic {
 public:
  explicit Topic(std::unique_ptr<TopicImpl> impl);
  ~Topic();

  const std::string& name() const;
  const Uuid& id() const;  // made with the topic; never that of another one
  // JSON that the owner keeps with the topic (columns, key, …); the log does not read it.
  std::string metadata() const;
  Result<void> set_metadata(std::string metadata);  // durable and atomic

  // Files that the owner keeps beside the topic, in a folder of this name inside the topic's own.
  // write_file() is durable and replaces the whole. Errors: kNotFound, kUnsupported, kIo.
  Result<void> write_file(const std::string& folder, const std::string& name,
                          std::string_view bytes);
  Result<std::string> read_file(const std::string& folder, const std::string& name) const;
  Result<std::vector<std::string>> files(const std::string& folder) const;  // none: no folder

  int32_t partition_count() const;
  Partition& partition(PartitionId id);

  // Waits until some partition p has records past positions[p]; false after `timeout` or when
  // asked to stop. One position for each partition.
  bool wait(std::span<const Offset> positions, std::chrono::milliseconds timeout,
            std::stop_token stop);

 private:
  std::unique_ptr<TopicImpl> impl_;
};

struct Options {
  // Repairs and writes nothing (a torn tail is only passed over): for looking at a data directory
  // at rest. What would write answers kUnsupported.
  bool read_only = false;
  // At most 1 GiB. Segments that exist keep their size; tests make small ones.
  size_t segment_bytes = limits::kSegmentBytes;
  io::Disk* disk = &io::system_disk();  // outlives the log
};

class Log {
 public:
  // Opens or makes the log in folder `path`; recovers every partition.
  static Result<std::unique_ptr<Log>> open(std::string path, Logger& logger, Options options = {});
  ~Log();

  // Kafka's rule for names: 1 to 249 of [a-zA-Z0-9._-], not "." or "..".
  // Errors: kInvalid (name, partition count), kConflict (exists).
  Result<Topic*> create_topic(std::string_view name, int32_t partitions, std::string metadata);
  Topic* find_topic(std::string_view name);  // nullptr if there is none
  std::vector<Topic*> topics();              // by name

 private:
  class Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::log
