#include <limits>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/limits.h"
#include "record/batch_format.h"
#include "record/record.h"

namespace millrace::record {
namespace {

// A length, -1 for null, and the bytes. False: they are not there.
bool take_nullable(ByteReader& reader, std::optional<std::string_view>& bytes) {
  int64_t length = reader.zigzag_varint();
  if (length < -1 || reader.failed()) return false;
  if (length == -1) {
    bytes.reset();
  } else {
    bytes = reader.take(static_cast<size_t>(length));
  }
  return !reader.failed();
}

std::unexpected<Error> bad_record(Offset batch, int32_t index, std::string_view what) {
  return fail(ErrorCode::kCorrupt, "record {} of the batch at offset {}: {}", index, batch, what);
}

}  // namespace

Result<BatchHeader> parse_batch_header(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderSize)
    return fail(ErrorCode::kCorrupt, "a record batch has a header of {} bytes, here are {}",
                kBatchHeaderSize, bytes.size());
  const char* at = bytes.data();
  if (at[kMagicAt] != kMagic)
    return fail(ErrorCode::kCorrupt, "not a record batch of version {} (magic {})", kMagic,
                static_cast<int>(at[kMagicAt]));
  auto length = load_be<int32_t>(at + kLengthAt);
  constexpr auto kLeast = static_cast<int32_t>(kBatchHeaderSize - kLengthCountsFrom);
  constexpr auto kMost = static_cast<int32_t>(limits::kBatchBytesMax - kLengthCountsFrom);
  if (length < kLeast || length > kMost)
    return fail(ErrorCode::kCorrupt, "a record batch cannot be {} bytes long", length);

  BatchHeader header;
  header.base_offset = Offset(load_be<int64_t>(at + kBaseOffsetAt));
  header.size_bytes = static_cast<size_t>(length) + kLengthCountsFrom;
  header.crc = load_be<uint32_t>(at + kCrcAt);
  header.attributes = load_be<int16_t>(at + kAttributesAt);
  header.count = load_be<int32_t>(at + kCountAt);
  header.last_offset_delta = load_be<int32_t>(at + kLastOffsetDeltaAt);
  header.base_timestamp_ms = load_be<int64_t>(at + kBaseTimestampAt);
  header.max_timestamp_ms = load_be<int64_t>(at + kMaxTimestampAt);
  header.producer_id = load_be<int64_t>(at + kProducerIdAt);

  constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
  if (header.base_offset.value < 0 || header.last_offset_delta < 0 ||
      header.base_offset.value > kLargest - header.last_offset_delta - 1)
    return fail(ErrorCode::kCorrupt, "a record batch cannot hold offsets {} + 0..{}",
                header.base_offset, header.last_offset_delta);
  if (header.count < 0 || header.count - 1 > header.last_offset_delta)
    return fail(ErrorCode::kCorrupt, "a record batch of {} offsets cannot hold {} records",
                int64_t{header.last_offset_delta} + 1, header.count);
  return header;
}

bool crc_matches(std::string_view batch, const BatchHeader& header) {
  return batch.size() >= header.size_bytes &&
         crc32c(batch.substr(kAttributesAt, header.size_bytes - kAttributesAt)) == header.crc;
}

void set_base_offset(char* batch, Offset base_offset, int32_t leader_epoch) {
  store_be(batch + kBaseOffsetAt, base_offset.value);
  store_be(batch + kLeaderEpochAt, leader_epoch);
}

Result<BatchReader> BatchReader::open(std::string_view batch) {
  auto header = MR_TRY(parse_batch_header(batch));
  if (batch.size() < header.size_bytes)
    return fail(ErrorCode::kCorrupt, "the batch at offset {} has {} of its {} bytes",
                header.base_offset, batch.size(), header.size_bytes);
  if ((header.attributes & kCompressionBits) != 0)
    return fail(ErrorCode::kUnsupported, "the batch at offset {} is compressed (codec {})",
                header.base_offset, header.attributes & kCompressionBits);
  if ((header.attributes & kControlBit) != 0)
    return fail(ErrorCode::kUnsupported, "the batch at offset {} is a transaction marker",
                header.base_offset);
  return BatchReader(batch.substr(kBatchHeaderSize, header.size_bytes - kBatchHeaderSize), header);
}

Result<bool> BatchReader::next(RecordView& record) {
  auto corrupt = [&](std::string_view what) {
    return bad_record(header_.base_offset, read_, what);
  };
  if (read_ == header_.count) {
    if (!rest_.empty()) return corrupt("bytes after the last record");
    return false;
  }
  ByteReader lengths(rest_);
  int64_t length = lengths.zigzag_varint();
  if (lengths.failed() || length < 0 || static_cast<uint64_t>(length) > lengths.rest().size())
    return corrupt("its length passes the end of the batch");
  ByteReader reader(lengths.rest().substr(0, static_cast<size_t>(length)));
  rest_ = lengths.rest().substr(static_cast<size_t>(length));

  reader.be<int8_t>();  // attributes: none are defined
  int64_t timestamp_delta = reader.zigzag_varint();
  int64_t offset_delta = reader.zigzag_varint();
  if (!take_nullable(reader, record.key) || !take_nullable(reader, record.value))
    return corrupt("it ends before its value does");
  if (offset_delta < 0 || offset_delta > header_.last_offset_delta)
    return corrupt("its offset is outside the batch");
  if ((header_.attributes & kLogAppendTimeBit) != 0) {
    record.timestamp_ms = header_.max_timestamp_ms;
  } else if (__builtin_add_overflow(header_.base_timestamp_ms, timestamp_delta,
                                    &record.timestamp_ms)) {
    return corrupt("its timestamp is out of range");
  }
  record.offset = header_.base_offset + offset_delta;
  record.headers = reader.rest();
  ++read_;
  return true;
}

Result<std::vector<Header>> headers_of(const RecordView& record) {
  std::vector<Header> headers;
  if (record.headers.empty()) return headers;
  auto corrupt = [&] {
    return fail(ErrorCode::kCorrupt, "the headers of the record at offset {} are malformed",
                record.offset);
  };
  ByteReader reader(record.headers);
  int64_t count = reader.zigzag_varint();
  if (count < 0) return corrupt();
  for (int64_t i = 0; i < count; ++i) {
    std::optional<std::string_view> key;
    Header header;
    if (!take_nullable(reader, key) || !key || !take_nullable(reader, header.value))
      return corrupt();
    header.key = *key;
    headers.push_back(header);
  }
  if (reader.failed() || !reader.at_end()) return corrupt();
  return headers;
}

}  // namespace millrace::record
