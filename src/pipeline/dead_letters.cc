#include "pipeline/dead_letters.h"

#include <array>
#include <charconv>

#include "base/checksum.h"
#include "topic/topic_definition.h"

namespace millrace::pipeline {
namespace {

// Then what is collected is written, so that a batch stays small enough.
constexpr size_t kFlushBytes = size_t{1} << 20;

int64_t number_of(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string dead_letters_topic(std::string_view node) {
  return fmt::format("{}{}", node, kDeadLettersSuffix);
}

bool is_dead_letters_topic(std::string_view topic) {
  return topic.ends_with(kDeadLettersSuffix);
}

DeadLetterWriter::DeadLetterWriter(log::Log& log, std::string node, int32_t partitions)
    : log_(log), node_(std::move(node)), partitions_(static_cast<size_t>(partitions)) {}

Result<log::Topic*> DeadLetterWriter::topic() {
  return topic::open_topic(log_, {.name = dead_letters_topic(node_),
                                  .columns = {},
                                  .partitions = static_cast<int32_t>(partitions_.size())});
}

Result<void> DeadLetterWriter::recover(PartitionId partition, const Origin& from) {
  auto& own = partitions_[static_cast<size_t>(partition.value)];
  own.batch.clear();
  own.written.clear();
  auto* existing = log_.find_topic(dead_letters_topic(node_));
  if (existing == nullptr) return {};
  auto& log_partition = existing->partition(partition);
  // Batch by batch from the end, as far as they hold any.
  std::string buffer;
  Offset end = log_partition.end_offset();
  for (bool found = true; found && end > log_partition.start_offset();) {
    found = false;
    auto bytes = MR_TRY(log_partition.read(end + -1, 1, buffer));
    auto batch = MR_TRY(record::BatchReader::open(bytes));
    end = batch.header().base_offset;
    for (record::RecordView record; MR_TRY(batch.next(record));) {
      int64_t origin_partition = 0;
      int64_t origin_offset = 0;
      for (const auto& [key, value] : MR_TRY(record::headers_of(record))) {
        if (key == kErrorPartition) origin_partition = number_of(value.value_or(""));
        if (key == kErrorOffset) origin_offset = number_of(value.value_or(""));
      }
      if (std::tie(origin_partition, origin_offset) < std::tie(from.partition, from.offset))
        continue;
      found = true;
      auto value = record.value.value_or("");
      own.written.emplace(origin_partition, origin_offset, crc32c(value), value.size());
    }
  }
  return {};
}

Result<void> DeadLetterWriter::add(PartitionId partition, const Origin& origin,
                                   const sql::Failure& failure, std::optional<std::string_view> key,
                                   std::string_view value, int64_t timestamp_ms) {
  auto& own = partitions_[static_cast<size_t>(partition.value)];
  bool written = !own.written.empty() && own.written.erase({origin.partition, origin.offset,
                                                            crc32c(value), value.size()}) > 0;
  if (written) return {};

  std::string origin_partition = std::to_string(origin.partition);
  std::string origin_offset = std::to_string(origin.offset);
  const std::array<record::Header, 6> headers = {{{kErrorTopic, origin.topic},
                                                  {kErrorPartition, origin_partition},
                                                  {kErrorOffset, origin_offset},
                                                  {kErrorStage, sql::to_string(failure.stage)},
                                                  {kErrorMessage, failure.error},
                                                  {kErrorRule, failure.rule}}};
  if (own.batch.count() > 0 && own.batch.size_bytes() + value.size() > kFlushBytes)
    MR_TRY(flush(partition));
  own.batch.append(timestamp_ms, key, value, headers);
  return {};
}

Result<void> DeadLetterWriter::flush(PartitionId partition) {
  auto& own = partitions_[static_cast<size_t>(partition.value)];
  if (own.batch.count() == 0) return {};
  auto* log_topic = MR_TRY(topic());
  auto appended = log_topic->partition(partition).append(own.batch.finish());
  own.batch.clear();
  MR_TRY(std::move(appended));
  return {};
}

Result<void> DeadLetterWriter::flush() {
  for (size_t i = 0; i < partitions_.size(); ++i)
    MR_TRY(flush(PartitionId(static_cast<int32_t>(i))));
  return {};
}

}  // namespace millrace::pipeline
