#include "log/batch_scan.h"

#include <algorithm>

#include "base/bytes.h"

namespace millrace::log {
namespace {

constexpr size_t kWindowBytes = size_t{256} << 10;
constexpr size_t kLeaderEpochAt = 12;  // written as 0, and outside the CRC

}  // namespace

Result<record::BatchHeader> check_header(std::string_view bytes, Offset expected) {
  auto header = MR_TRY(record::parse_batch_header(bytes));
  if (header.base_offset != expected)
    return fail(ErrorCode::kCorrupt, "the batch there has base offset {}, not {}",
                header.base_offset, expected);
  if (load_be<int32_t>(bytes.data() + kLeaderEpochAt) != 0)
    return fail(ErrorCode::kCorrupt, "the batch at offset {} has a leader epoch", expected);
  return header;
}

Result<record::BatchHeader> check_batch(std::string_view bytes, Offset expected) {
  auto header = MR_TRY(check_header(bytes, expected));
  if (bytes.size() < header.size_bytes)
    return fail(ErrorCode::kCorrupt, "the batch at offset {} has {} of its {} bytes", expected,
                bytes.size(), header.size_bytes);
  if (!record::crc_matches(bytes, header))
    return fail(ErrorCode::kCorrupt, "the batch at offset {} has a wrong CRC", expected);
  return header;
}

void resize_for_overwrite(std::string& bytes, size_t size) {
  bytes.resize_and_overwrite(size, [](char*, size_t given) { return given; });
}

// At least `size` bytes from position_ on, or all there are.
Result<std::string_view> BatchScan::window(size_t size) {
  size_t left = static_cast<size_t>(end_ - position_);
  size_t offset = static_cast<size_t>(position_ - buffer_position_);
  if (offset > buffer_.size() || buffer_.size() - offset < std::min(size, left)) {
    resize_for_overwrite(buffer_, std::min(std::max(size, kWindowBytes), left));
    size_t got = MR_TRY(file_.read_some_at(position_, buffer_.data(), buffer_.size()));
    buffer_.resize(got);
    buffer_position_ = position_;
    offset = 0;
  }
  return std::string_view(buffer_).substr(offset);
}

Result<std::optional<record::BatchHeader>> BatchScan::next() {
  if (position_ >= end_) {
    why_stopped_ = "the file ends there";
    return std::nullopt;
  }
  auto bytes = MR_TRY(window(record::kBatchHeaderSize));
  auto header = check_header(bytes, expected_);
  if (header) {
    bytes = MR_TRY(window(header->size_bytes));
    header = check_batch(bytes, expected_);
  }
  if (!header) {
    why_stopped_ = header.error().message();
    return std::nullopt;
  }
  batch_ = bytes.substr(0, header->size_bytes);
  position_ += header->size_bytes;
  expected_ = header->next_offset();
  return *header;
}

}  // namespace millrace::log
