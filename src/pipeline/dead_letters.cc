#include "pipeline/dead_letters.h"

#include <charconv>

#include "base/checksum.h"
#include "base/limits.h"
#include "topic/place.h"
#include "topic/topic_definition.h"

namespace millrace::pipeline {
namespace {

// Then what is collected is written, so that a batch stays small enough.
constexpr size_t kBatchBytes = size_t{1} << 20;

// Headers of a dead letter; its key and value are those of the record refused. The first five are
// Kafka Connect's (KIP-298).
constexpr std::string_view kErrorTopic = "__connect.errors.topic";
constexpr std::string_view kErrorPartition = "__connect.errors.partition";
constexpr std::string_view kErrorOffset = "__connect.errors.offset";
constexpr std::string_view kErrorStage = "__connect.errors.stage";
constexpr std::string_view kErrorMessage = "__connect.errors.exception.message";
constexpr std::string_view kErrorRule = "millrace.rule";
constexpr std::string_view kErrorFed = "millrace.fed";
constexpr std::string_view kErrorFile = "millrace.value.file";
constexpr std::string_view kErrorTimestamp = "millrace.timestamp";  // the record's, in milliseconds

// A whole number from 0 on.
std::optional<int64_t> number_of(std::string_view text) {
  int64_t number = -1;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && number >= 0;
  return whole ? std::optional(number) : std::nullopt;
}

// A dead letter's headers, borrowed from its record.
struct Headers {
  Origin origin;
  std::string_view stage;
  std::string_view rule;
  std::string_view error;
  std::string_view place;
  std::string_view value_file;
  std::optional<int64_t> timestamp_ms;

  static Result<Headers> of(const record::RecordView& record) {
    Headers found{.origin = {.topic = "", .partition = -1, .offset = -1}};
    for (const auto& [key, value] : MR_TRY(record::headers_of(record))) {
      auto text = value.value_or("");
      if (key == kErrorTopic) found.origin.topic = text;
      if (key == kErrorPartition) found.origin.partition = number_of(text).value_or(-1);
      if (key == kErrorOffset) found.origin.offset = number_of(text).value_or(-1);
      if (key == kErrorStage) found.stage = text;
      if (key == kErrorRule) found.rule = text;
      if (key == kErrorMessage) found.error = text;
      if (key == topic::kPlaceHeader) found.place = text;
      if (key == kErrorFile) found.value_file = text;
      if (key == kErrorFed) found.origin.fed = text;
      if (key == kErrorTimestamp) found.timestamp_ms = number_of(text);
    }
    if (found.origin.partition < 0 || found.origin.offset < 0)
      return fail(ErrorCode::kCorrupt,
                  "the record at offset {} is no dead letter: its headers '{}' and '{}' are not "
                  "two whole numbers",
                  record.offset, kErrorPartition, kErrorOffset);
    return found;
  }
};

// Calls each(record, headers) for the records whose headers are wanted, batch by batch from the
// end, as far as batches have any; returns where the first of those batches begins.
template <class Wanted, class Each>
Result<Offset> for_each_last(log::Partition& partition, Wanted is_wanted, Each each) {
  std::string buffer;
  Offset first = partition.end_offset();
  while (first > partition.start_offset()) {
    auto bytes = MR_TRY(partition.read(first + -1, 1, buffer));
    auto batch = MR_TRY(record::BatchReader::open(bytes));
    bool found = false;
    for (record::RecordView record; MR_TRY(batch.next(record));) {
      auto headers = MR_TRY(Headers::of(record));
      if (!is_wanted(headers)) continue;
      found = true;
      each(record, headers);
    }
    if (!found) break;
    first = batch.header().base_offset;
  }
  return first;
}

void append(record::BatchBuilder& batch, const Refused& refused, int64_t now_ms) {
  std::string partition = std::to_string(refused.origin.partition);
  std::string offset = std::to_string(refused.origin.offset);
  std::string timestamp = std::to_string(refused.timestamp_ms);
  std::vector<record::Header> headers = {{kErrorTopic, refused.origin.topic},
                                         {kErrorPartition, partition},
                                         {kErrorOffset, offset},
                                         {kErrorStage, refused.stage},
                                         {kErrorMessage, refused.error},
                                         {kErrorRule, refused.rule},
                                         {kErrorTimestamp, timestamp}};
  if (!refused.origin.fed.empty()) headers.push_back({kErrorFed, refused.origin.fed});
  if (!refused.place.empty()) headers.push_back({topic::kPlaceHeader, refused.place});
  if (!refused.value_file.empty()) headers.push_back({kErrorFile, refused.value_file});
  auto value = refused.value_file.empty() ? refused.value : "";
  batch.append(now_ms, refused.key, value, headers);
}

}  // namespace

std::string dead_letters_topic(std::string_view node) {
  return fmt::format("{}{}", node, kDeadLettersSuffix);
}

bool is_dead_letters_topic(std::string_view topic) {
  return topic.ends_with(kDeadLettersSuffix);
}

std::string words_of(const sql::Failure& failure) {
  std::string rule = failure.rule.empty() ? "" : " " + failure.rule;
  return fmt::format("{}{}: {}", sql::to_string(failure.stage), rule, failure.error);
}

std::string DeadLetter::address() const {
  return fmt::format("{}/{}/{}", node, partition, offset);
}

Result<DeadLetter> to_dead_letter(std::string_view topic, int32_t partition,
                                  const record::RecordView& record) {
  auto headers = MR_TRY(Headers::of(record));
  DeadLetter letter{.node = std::string(topic.substr(0, topic.size() - kDeadLettersSuffix.size())),
                    .partition = partition,
                    .offset = record.offset.value,
                    .timestamp_ms = record.timestamp_ms,
                    .stage = std::string(headers.stage),
                    .rule = std::string(headers.rule),
                    .error = std::string(headers.error),
                    .from_topic = std::string(headers.origin.topic),
                    .from_partition = headers.origin.partition,
                    .from_offset = headers.origin.offset,
                    .from_timestamp_ms = headers.timestamp_ms.value_or(record.timestamp_ms),
                    .place = std::string(headers.place),
                    .fed = std::string(headers.origin.fed),
                    .value_file = std::string(headers.value_file)};
  if (record.key) letter.key = *record.key;
  if (record.value) letter.value = *record.value;
  return letter;
}

Result<DeadLetterAddress> parse_dead_letter_address(std::string_view text) {
  size_t last = text.rfind('/');
  size_t before = last == text.npos || last == 0 ? text.npos : text.rfind('/', last - 1);
  std::optional<int64_t> partition;
  std::optional<int64_t> offset;
  if (before != text.npos) {
    partition = number_of(text.substr(before + 1, last - before - 1));
    offset = number_of(text.substr(last + 1));
  }
  if (!partition || !offset || *partition > limits::kPartitionsMax)
    return fail(ErrorCode::kInvalid,
                "'{}' is no address of a dead letter; 'millrace dlq list' shows them as "
                "NODE/PARTITION/OFFSET",
                text);
  return DeadLetterAddress{.node = std::string(text.substr(0, before)),
                           .partition = static_cast<int32_t>(*partition),
                           .offset = *offset};
}

DeadLetterWriter::DeadLetterWriter(log::Log& log, std::string node, int32_t partitions)
    : log_(log), node_(std::move(node)), partitions_(static_cast<size_t>(partitions)) {}

DeadLetterWriter::Identity DeadLetterWriter::identity_of(const Origin& origin,
                                                         std::string_view stage,
                                                         std::string_view rule,
                                                         std::string_view value) {
  return {origin.partition, origin.offset, crc32c(value), value.size(),
          crc32c(fmt::format("{} {}", stage, rule))};
}

Result<log::Topic*> DeadLetterWriter::topic() {
  return topic::open_topic(log_, {.name = dead_letters_topic(node_),
                                  .columns = {},
                                  .partitions = static_cast<int32_t>(partitions_.size())});
}

Result<void> DeadLetterWriter::recover(PartitionId partition, const Origin& from) {
  auto& known = partitions_[static_cast<size_t>(partition.value)].known;
  known.clear();
  auto* existing = find_topic();
  if (existing == nullptr) return {};
  auto& log_partition = existing->partition(partition);
  MR_TRY(log_partition.flush());
  log_partition.show();
  auto is_after = [&](const Headers& headers) {
    const auto& origin = headers.origin;
    return std::tie(origin.partition, origin.offset) >= std::tie(from.partition, from.offset);
  };
  MR_TRY(for_each_last(
      log_partition, is_after, [&](const record::RecordView& record, const Headers& headers) {
        known.emplace(
            identity_of(headers.origin, headers.stage, headers.rule, record.value.value_or("")),
            record.offset);
      }));
  return {};
}

Result<Offset> DeadLetterWriter::find_page(log::Log& log, std::string_view node,
                                           const Origin& page) {
  auto* topic = log.find_topic(dead_letters_topic(node));
  if (topic == nullptr) return Offset(0);
  auto is_of_page = [&](const Headers& headers) {
    return headers.origin.partition == page.partition && headers.origin.fed == page.fed;
  };
  return for_each_last(topic->partition(PartitionId(0)), is_of_page,
                       [](const record::RecordView&, const Headers&) {});
}

Result<void> DeadLetterWriter::check() {
  auto* existing = find_topic();
  return existing == nullptr ? Result<void>() : existing->partition(PartitionId(0)).check_whole();
}

Result<void> DeadLetterWriter::take_back(const Origin& page) {
  auto* existing = find_topic();
  if (existing == nullptr) return {};
  Offset end = MR_TRY(find_page(log_, node_, page));
  return existing->partition(PartitionId(0)).truncate(end);
}

Result<std::vector<Offset>> DeadLetterWriter::write(PartitionId partition,
                                                    std::span<const Refused> refused,
                                                    int64_t now_ms) {
  std::vector<Offset> offsets(refused.size());
  if (refused.empty()) return offsets;
  auto& known = partitions_[static_cast<size_t>(partition.value)].known;
  auto& log_partition = MR_TRY(topic())->partition(partition);
  std::vector<size_t> collected;
  batch_.clear();
  auto write_collected = [&]() -> Result<void> {
    if (collected.empty()) return {};
    Offset next = MR_TRY(log_partition.write(batch_.finish()));
    for (size_t i : collected) {
      offsets[i] = next;
      next = next + 1;
    }
    collected.clear();
    batch_.clear();
    return {};
  };
  for (size_t i = 0; i < refused.size(); ++i) {
    const auto& one = refused[i];
    if (!known.empty()) {
      auto found = known.find(identity_of(one.origin, one.stage, one.rule, one.value.value_or("")));
      if (found != known.end()) {
        offsets[i] = found->second;
        known.erase(found);
        continue;
      }
    }
    size_t bytes = one.value_file.empty() ? one.value.value_or("").size() : 0;
    if (batch_.size_bytes() + bytes > kBatchBytes) MR_TRY(write_collected());
    append(batch_, one, now_ms);
    collected.push_back(i);
  }
  MR_TRY(write_collected());
  MR_TRY(log_partition.flush());
  return offsets;
}

Offset DeadLetterWriter::show(PartitionId partition) {
  auto* existing = find_topic();
  if (existing == nullptr) return Offset(0);
  existing->partition(partition).show();
  return existing->partition(partition).end_offset();
}

}  // namespace millrace::pipeline
