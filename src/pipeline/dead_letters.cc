#include "pipeline/dead_letters.h"

#include <array>
#include <charconv>

#include "topic/page_writer.h"
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
                                  .key = "",
                                  .partitions = static_cast<int32_t>(partitions_.size())});
}

Result<void> DeadLetterWriter::add(PartitionId partition, const Origin& origin,
                                   const sql::Failure& failure, std::optional<std::string_view> key,
                                   std::string_view value, int64_t timestamp_ms) {
  auto& own = partitions_[static_cast<size_t>(partition.value)];
  if (!own.known) {
    auto* existing = log_.find_topic(dead_letters_topic(node_));
    if (existing != nullptr) {
      auto last =
          MR_TRY(topic::find_last_with_header(existing->partition(partition), kErrorOffset));
      if (last)
        own.last = {number_of(last->value(kErrorPartition)), number_of(last->value(kErrorOffset))};
    }
    own.known = true;
  }
  std::pair<int64_t, int64_t> at{origin.partition, origin.offset};
  if (own.last && at <= *own.last) return {};
  own.last = at;

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
  // What the disk holds now is unknown; the next try reads it.
  if (!appended) own.known = false, own.last.reset();
  MR_TRY(std::move(appended));
  return {};
}

Result<void> DeadLetterWriter::flush() {
  for (size_t i = 0; i < partitions_.size(); ++i)
    MR_TRY(flush(PartitionId(static_cast<int32_t>(i))));
  return {};
}

}  // namespace millrace::pipeline
