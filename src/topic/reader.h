// Records of one partition, batch by batch.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "log/log.h"
#include "record/record.h"

namespace millrace::topic {

// Reads what is there, up to limits::kBatchRecords and kBatchBytes at once. Keeps its memory.
class Reader {
 public:
  // Records from `from` on; none where the partition has no more. What it gives is valid until
  // the next read; each value has 64 readable bytes behind it, as decoding JSON needs.
  // Errors: kNotFound, kCorrupt, kIo, kUnsupported (a compressed batch).
  Result<std::span<const record::RecordView>> read(log::Partition& partition, Offset from);

  // The same for who only looks: where records at `from` were removed, from the first that is
  // there.
  Result<std::span<const record::RecordView>> look(log::Partition& partition, Offset from);

  // The records' values, in step with the records.
  std::span<const std::optional<std::string_view>> values() const { return values_; }

 private:
  std::string buffer_;
  std::vector<record::RecordView> records_;
  std::vector<std::optional<std::string_view>> values_;
};

}  // namespace millrace::topic
