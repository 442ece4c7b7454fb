// Reading the batches of a segment file one after the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/id.h"
#include "io/file.h"
#include "record/record.h"

namespace millrace::log {

// Whether `bytes` begin with a header that can stand at `expected` in a log. Errors: kCorrupt.
Result<record::BatchHeader> check_header(std::string_view bytes, Offset expected);
// The same for a whole batch, its CRC included.
Result<record::BatchHeader> check_batch(std::string_view bytes, Offset expected);

// Sets the size of a string without clearing what it gains: for bytes about to be read into it.
void resize_for_overwrite(std::string& bytes, size_t size);

// Walks forward through whole, right batches. One thread.
class BatchScan {
 public:
  // From `position`, where the batch with base offset `expected` begins, to `end` of the file.
  BatchScan(const io::File& file, uint64_t position, Offset expected, uint64_t end)
      : file_(file), position_(position), expected_(expected), end_(end) {}

  // The next batch's header; nullopt where the bytes stop to be batches: why_stopped() tells.
  // Errors: kIo.
  Result<std::optional<record::BatchHeader>> next();
  std::string_view batch() const { return batch_; }  // the last one returned; until the next call
  uint64_t position() const { return position_; }    // behind it
  Offset expected() const { return expected_; }      // the offset that would come next
  const std::string& why_stopped() const { return why_stopped_; }

 private:
  Result<std::string_view> window(size_t size);

  const io::File& file_;
  uint64_t position_;
  Offset expected_;
  uint64_t end_;
  std::string buffer_;
  uint64_t buffer_position_ = 0;
  std::string_view batch_;
  std::string why_stopped_;
};

}  // namespace millrace::log
