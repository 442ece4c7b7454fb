#include "door/http/records_answer.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "door/http/to_json.h"

namespace millrace::http {
namespace {

using pipeline::Record;
using Positions = std::vector<int64_t>;

Result<Positions> starting_positions(pipeline::Instance& instance,
                                     const pipeline::TopicDescription& topic,
                                     const RecordsQuestion& question) {
  Positions positions;
  for (const auto& partition : topic.partitions) {
    auto position = partition.end_offset;
    if (question.wanted.from_offset) {
      position = std::clamp(*question.wanted.from_offset, partition.start_offset, position);
    } else if (question.wanted.from_time_ms) {
      pipeline::RecordsWanted first = {partition.id, {}, question.wanted.from_time_ms, 1};
      auto found = MR_TRY(pipeline::records(instance, question.topic, first));
      if (!found.empty()) position = found.front().offset;
    }
    positions.push_back(position);
  }
  return positions;
}

// Moves the positions past the records.
void move_past(const std::vector<Record>& records, Positions& positions) {
  for (const auto& record : records) {
    auto& position = positions[static_cast<size_t>(record.partition)];
    position = std::max(position, record.offset + 1);
  }
}

// The first records from `positions` on: the earliest over all partitions, and of each partition
// without a gap. A partition whose turn did not come is read by one of the next requests.
Result<std::vector<Record>> read_from(pipeline::Instance& instance,
                                      const pipeline::TopicDescription& topic,
                                      const RecordsQuestion& question, const Positions& positions) {
  std::vector<std::vector<Record>> found;
  std::vector<bool> has_more;
  size_t bytes = 0;
  auto partitions_left = topic.partitions.size();
  for (const auto& partition : topic.partitions) {
    if (bytes >= pipeline::kLookBytes) break;
    auto share = (pipeline::kLookBytes - bytes) / partitions_left--;
    if (question.wanted.partition.value_or(partition.id) != partition.id) continue;
    auto position = positions[static_cast<size_t>(partition.id)];
    position = std::max(position, partition.start_offset);
    if (position >= partition.end_offset) continue;
    pipeline::RecordsWanted wanted = {partition.id, position, {}, question.wanted.limit, share};
    auto records = MR_TRY(pipeline::records(instance, question.topic, wanted));
    if (records.empty()) continue;
    std::ranges::sort(records, {}, &Record::offset);
    for (const auto& record : records) bytes += pipeline::bytes_of(record);
    has_more.push_back(records.back().offset + 1 < partition.end_offset);
    found.push_back(std::move(records));
  }
  std::vector<Record> merged;
  std::vector<size_t> taken(found.size());
  while (merged.size() < question.wanted.limit) {
    Record* next = nullptr;
    size_t next_of = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      // What comes next may be earlier than the others' records.
      if (taken[i] == found[i].size() && has_more[i]) return merged;
      if (taken[i] == found[i].size()) continue;
      auto& record = found[i][taken[i]];
      if (next == nullptr || record.timestamp_ms < next->timestamp_ms) {
        next = &record;
        next_of = i;
      }
    }
    if (next == nullptr) break;
    merged.push_back(std::move(*next));
    ++taken[next_of];
  }
  return merged;
}

Result<void> wait_past(pipeline::Instance& instance, const RecordsQuestion& question,
                       Positions positions, std::stop_token stop) {
  for (size_t i = 0; i < positions.size(); ++i) {
    if (question.wanted.partition.value_or(static_cast<int32_t>(i)) != static_cast<int32_t>(i))
      positions[i] = std::numeric_limits<int64_t>::max();
  }
  MR_TRY(pipeline::wait_for_records(instance, question.topic, positions, question.wait,
                                    std::move(stop)));
  return {};
}

Result<std::string> answer(const std::vector<Record>& records, const Positions& next) {
  return fmt::format(R"({{"records":{},"next":[{}]}})",
                     json_array(records, [](const auto& record) { return to_json(record); }),
                     fmt::join(next, ","));
}

}  // namespace

Result<std::string> answer_records(pipeline::Instance& instance, const RecordsQuestion& question,
                                   std::stop_token stop) {
  auto topic = MR_TRY(pipeline::describe_topic(instance, question.topic));
  const auto& wanted = question.wanted;
  if (wanted.partition && static_cast<size_t>(*wanted.partition) >= topic.partitions.size()) {
    return fail(ErrorCode::kNotFound, "{} has no partition {}; they are 0 to {}", topic.name,
                *wanted.partition, topic.partitions.size() - 1);
  }
  if (!question.past && !wanted.from_offset && !wanted.from_time_ms) {
    auto next = MR_TRY(starting_positions(instance, topic, question));
    auto records = MR_TRY(pipeline::records(instance, question.topic, wanted));
    move_past(records, next);
    return answer(records, next);
  }
  Positions next;
  if (question.past) {
    next = *question.past;
    if (next.size() != topic.partitions.size()) {
      return fail(ErrorCode::kInvalid, "past has {} offsets where {} has {} partitions",
                  next.size(), topic.name, topic.partitions.size());
    }
    if (question.wait.count() > 0) {
      MR_TRY(wait_past(instance, question, next, std::move(stop)));
      topic = MR_TRY(pipeline::describe_topic(instance, question.topic));
    }
  } else {
    next = MR_TRY(starting_positions(instance, topic, question));
  }
  auto records = MR_TRY(read_from(instance, topic, question, next));
  move_past(records, next);
  return answer(records, next);
}

}  // namespace millrace::http
