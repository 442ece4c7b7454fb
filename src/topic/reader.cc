#include "topic/reader.h"

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

}  // namespace millrace::topic
