#include "topic/reader.h"

#include <algorithm>

#include "base/limits.h"

namespace millrace::topic {

Result<std::span<const record::RecordView>> Reader::read(log::Partition& partition, Offset from) {
  records_.clear();
  values_.clear();
  auto bytes = MR_TRY(partition.read(from, limits::kBatchBytes, buffer_));
  while (!bytes.empty() && records_.size() < limits::kBatchRecords) {
    auto header = MR_TRY(record::parse_batch_header(bytes));
    auto batch = MR_TRY(record::BatchReader::open(bytes.substr(0, header.size_bytes)));
    bytes.remove_prefix(header.size_bytes);
    record::RecordView record;
    while (MR_TRY(batch.next(record))) {
      if (record.offset < from) continue;
      if (records_.size() == limits::kBatchRecords) break;
      records_.push_back(record);
      values_.push_back(record.value);
    }
  }
  return std::span<const record::RecordView>(records_);
}

Result<std::span<const record::RecordView>> Reader::look(log::Partition& partition, Offset from) {
  for (;;) {
    auto records = read(partition, std::max(from, partition.start_offset()));
    // Retention may come between the two.
    bool removed = !records && records.error().code() == ErrorCode::kNotFound &&
                   from <= partition.end_offset() && from < partition.start_offset();
    if (!removed) return records;
  }
}

}  // namespace millrace::topic
