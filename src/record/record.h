// record: Kafka record batches, version 2 (magic 2), the bytes that topics are made of on disk and
// on the wire. Kafka's "Record Batch" and "Record" formats; docs/format/log.md repeats the bytes.
//
// Called by log (headers, offsets, checksums) and topic (records). Leaves to others: what keys and
// values mean, compression (batches made here are uncompressed; compressed ones are refused).
// Promises: pure functions over bytes; a reader never touches a byte outside the view it was given,
// whatever the bytes are. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"

namespace millrace::record {

inline constexpr size_t kBatchHeaderSize = 61;

// One header of a record; value nullopt is Kafka's null.
struct Header {
  std::string_view key;
  std::optional<std::string_view> value;
};

// One record, borrowed from the batch's bytes.
struct RecordView {
  Offset offset;
  int64_t timestamp_ms = 0;  // since 1970, as the producer said
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // nullopt: tombstone
  std::string_view headers;               // still encoded, see headers_of()
};

// A record's headers, in order. Errors: kCorrupt.
Result<std::vector<Header>> headers_of(const RecordView& record);

// Builds one batch; reusable after clear(), which keeps the memory.
class BatchBuilder {
 public:
  // Every record's timestamp is at or after zero; the first sets the batch's base timestamp.
  void append(int64_t timestamp_ms, std::optional<std::string_view> key,
              std::optional<std::string_view> value, std::span<const Header> headers = {});
  int32_t count() const { return count_; }
  size_t size_bytes() const { return bytes_.size(); }  // of the batch so far
  // The finished batch with base offset 0 and a right CRC; valid until clear() or append().
  // Not for an empty batch.
  std::string_view finish();
  void clear();

 private:
  std::string bytes_;
  int32_t count_ = 0;
  int64_t base_timestamp_ms_ = 0;
  int64_t max_timestamp_ms_ = 0;
};

// The fixed front of a batch.
struct BatchHeader {
  Offset base_offset;
  size_t size_bytes = 0;  // of the whole batch, header included
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t count = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp_ms = 0;
  int64_t max_timestamp_ms = 0;
  int64_t producer_id = -1;
  Offset next_offset() const { return base_offset + (int64_t{last_offset_delta} + 1); }
};

// Reads the header at the front of `bytes`; checks magic, lengths against limits, counts; not the
// CRC, and not that the whole batch is there. Errors: kCorrupt.
Result<BatchHeader> parse_batch_header(std::string_view bytes);
// Whether the CRC over a whole batch (header.size_bytes of bytes) is right.
bool crc_matches(std::string_view batch, const BatchHeader& header);
// Rewrites what a broker assigns; the CRC does not cover it.
void set_base_offset(char* batch, Offset base_offset, int32_t leader_epoch = 0);

// Reads the records of one whole batch whose CRC is right, in order.
class BatchReader {
 public:
  // Errors: kCorrupt, kUnsupported (compressed, control batch).
  static Result<BatchReader> open(std::string_view batch);
  const BatchHeader& header() const { return header_; }
  // The next record; false after the last. Errors: kCorrupt.
  Result<bool> next(RecordView& record);

 private:
  BatchReader(std::string_view records, const BatchHeader& header)
      : rest_(records), header_(header) {}
  std::string_view rest_;
  BatchHeader header_;
  int32_t read_ = 0;
};

}  // namespace millrace::record
