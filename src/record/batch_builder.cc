#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "base/check.h"
#include "base/checksum.h"
#include "record/batch_format.h"
#include "record/record.h"

namespace millrace::record {
namespace {

constexpr size_t zigzag_size(int64_t value) {
  return varint_size(zigzag(value));
}

size_t length_of(std::optional<std::string_view> bytes) {
  return bytes ? zigzag_size(static_cast<int64_t>(bytes->size())) + bytes->size() : 1;
}

char* put_zigzag(char* to, int64_t number) {
  uint64_t value = zigzag(number);
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

char* put_bytes(char* to, std::string_view bytes) {
  std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

// A length, -1 for null, and the bytes.
char* put_nullable(char* to, std::optional<std::string_view> bytes) {
  if (!bytes) return put_zigzag(to, -1);
  return put_bytes(put_zigzag(to, static_cast<int64_t>(bytes->size())), *bytes);
}

}  // namespace

void BatchBuilder::append(int64_t timestamp_ms, std::optional<std::string_view> key,
                          std::optional<std::string_view> value, std::span<const Header> headers) {
  MR_CHECK(timestamp_ms >= 0);
  if (count_ == 0) {
    bytes_.assign(kBatchHeaderSize, '\0');
    base_timestamp_ms_ = max_timestamp_ms_ = timestamp_ms;
  }
  int64_t timestamp_delta = timestamp_ms - base_timestamp_ms_;
  auto header_count = static_cast<int64_t>(headers.size());

  size_t size = 1 + zigzag_size(timestamp_delta) + zigzag_size(count_) + length_of(key) +
                length_of(value) + zigzag_size(header_count);
  for (const auto& header : headers) size += length_of(header.key) + length_of(header.value);
  size_t old_size = bytes_.size();
  size_t new_size = old_size + zigzag_size(static_cast<int64_t>(size)) + size;
  MR_CHECK(new_size <= size_t{std::numeric_limits<int32_t>::max()});

  bytes_.resize_and_overwrite(new_size, [&](char* bytes, size_t) {
    char* to = put_zigzag(bytes + old_size, static_cast<int64_t>(size));
    *to++ = 0;  // attributes: none are defined
    to = put_zigzag(to, timestamp_delta);
    to = put_zigzag(to, count_);
    to = put_nullable(to, key);
    to = put_nullable(to, value);
    to = put_zigzag(to, header_count);
    for (const auto& header : headers) {
      to = put_nullable(to, header.key);
      to = put_nullable(to, header.value);
    }
    return static_cast<size_t>(to - bytes);
  });
  ++count_;
  max_timestamp_ms_ = std::max(max_timestamp_ms_, timestamp_ms);
}

std::string_view BatchBuilder::finish() {
  MR_CHECK(count_ > 0);
  char* bytes = bytes_.data();
  store_be<int32_t>(bytes + kLengthAt, static_cast<int32_t>(bytes_.size() - kLengthCountsFrom));
  bytes[kMagicAt] = kMagic;
  store_be<int16_t>(bytes + kAttributesAt, 0);
  store_be<int32_t>(bytes + kLastOffsetDeltaAt, count_ - 1);
  store_be<int64_t>(bytes + kBaseTimestampAt, base_timestamp_ms_);
  store_be<int64_t>(bytes + kMaxTimestampAt, max_timestamp_ms_);
  store_be<int64_t>(bytes + kProducerIdAt, -1);
  store_be<int16_t>(bytes + kProducerEpochAt, -1);
  store_be<int32_t>(bytes + kBaseSequenceAt, -1);
  store_be<int32_t>(bytes + kCountAt, count_);
  store_be<uint32_t>(bytes + kCrcAt, crc32c(std::string_view(bytes_).substr(kAttributesAt)));
  set_base_offset(bytes, Offset(0));
  return bytes_;
}

void BatchBuilder::clear() {
  bytes_.clear();
  count_ = 0;
}

}  // namespace millrace::record
