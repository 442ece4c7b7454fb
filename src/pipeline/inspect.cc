#include "pipeline/inspect.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/limits.h"
#include "base/text.h"
#include "pipeline/dead_letters.h"
#include "sql/json_split.h"
#include "sql/json_writer.h"
#include "table/relation.h"
#include "table/table_definition.h"
#include "topic/reader.h"
#include "topic/relation.h"
#include "topic/value_text.h"

namespace millrace::pipeline {
namespace {

std::unexpected<Error> no_such(std::string_view what, std::string_view name,
                               const std::vector<std::string>& names) {
  std::string near = did_you_mean(name, names);
  std::string choice = names.empty()  ? std::string("; there is none yet")
                       : near.empty() ? fmt::format("; there is {}", fmt::join(names, ", "))
                                      : fmt::format("; did you mean '{}'?", near);
  return fail(ErrorCode::kNotFound, "there is no {} '{}'{}", what, name, choice);
}

Result<Record> owned(const std::string& topic, int32_t partition,
                     const record::RecordView& record) {
  Record copy{.topic = topic,
              .partition = partition,
              .offset = record.offset.value,
              .timestamp_ms = record.timestamp_ms};
  if (record.key) copy.key = *record.key;
  if (record.value) copy.value = *record.value;
  for (const auto& [key, value] : MR_TRY(record::headers_of(record)))
    copy.headers.emplace_back(key, value.value_or(""));
  return copy;
}

// The first offset wanted of a partition.
Result<Offset> first_wanted(log::Partition& partition, const RecordsWanted& wanted) {
  Offset start = partition.start_offset();
  Offset end = partition.end_offset();
  if (wanted.from_time_ms) return partition.offset_at(*wanted.from_time_ms);
  if (wanted.from_offset) return std::clamp(Offset(*wanted.from_offset), start, end);
  auto limit = static_cast<int64_t>(wanted.limit);
  return end - start > limit ? end + -limit : start;
}

bool by_time(const Record& a, const Record& b) {
  return std::tie(a.timestamp_ms, a.topic, a.partition, a.offset) <
         std::tie(b.timestamp_ms, b.topic, b.partition, b.offset);
}

bool wants_newest(const RecordsWanted& wanted) {
  return !wanted.from_offset && !wanted.from_time_ms;
}

// Keeps the records that are wanted of those found, by time: the last or the first.
void keep_wanted(const RecordsWanted& wanted, std::vector<Record>& found) {
  std::ranges::sort(found, by_time);
  if (wants_newest(wanted)) std::ranges::reverse(found);
  size_t bytes = 0;
  size_t kept = 0;
  for (; kept < std::min(found.size(), wanted.limit); ++kept) {
    bytes += bytes_of(found[kept]);
    if (kept > 0 && bytes > wanted.bytes) break;
  }
  found.resize(kept);
  if (wants_newest(wanted)) std::ranges::reverse(found);
}

// Adds what is wanted of one partition.
Result<void> read_partition(const std::string& topic, PartitionId id, log::Partition& partition,
                            const RecordsWanted& wanted, std::vector<Record>& found) {
  Offset next = MR_TRY(first_wanted(partition, wanted));
  topic::Reader reader;
  std::deque<Record> taken;
  size_t bytes = 0;
  auto drop_oldest = [&] {
    while (taken.size() > wanted.limit || (taken.size() > 1 && bytes > wanted.bytes)) {
      bytes -= bytes_of(taken.front());
      taken.pop_front();
    }
  };
  bool is_full = false;
  while (next < partition.end_offset() && !is_full) {
    auto batch = MR_TRY(reader.look(partition, next));
    if (batch.empty()) break;
    for (const auto& record : batch) {
      taken.push_back(MR_TRY(owned(topic, id.value, record)));
      bytes += bytes_of(taken.back());
      if (wants_newest(wanted)) drop_oldest();
      is_full = !wants_newest(wanted) && (taken.size() == wanted.limit || bytes >= wanted.bytes);
      if (is_full) break;
    }
    next = batch.back().offset + 1;
  }
  std::ranges::move(taken, std::back_inserter(found));
  return {};
}

// With values as they are in the topic.
Result<std::vector<Record>> read_records(Instance& instance, std::string_view topic_name,
                                         const RecordsWanted& wanted) {
  auto* topic = MR_TRY(find_topic(instance, topic_name));
  if (wanted.limit > limits::kApiRecordsMax)
    return fail(ErrorCode::kLimit, "at most {} records at once", limits::kApiRecordsMax);
  if (wanted.partition && (*wanted.partition < 0 || *wanted.partition >= topic->partition_count()))
    return fail(ErrorCode::kNotFound, "topic {} has partitions 0 to {}, not {}", topic_name,
                topic->partition_count() - 1, *wanted.partition);
  std::vector<Record> found;
  for (int32_t i = 0; i < topic->partition_count(); ++i) {
    if (wanted.partition && *wanted.partition != i) continue;
    PartitionId id(i);
    MR_TRY(read_partition(topic->name(), id, topic->partition(id), wanted, found));
    keep_wanted(wanted, found);
  }
  return found;
}

// Rows as JSON texts, for tap.
class RowTexts : public sql::TransformOutput {
 public:
  explicit RowTexts(const schema::Columns& columns) : writer_(columns) {}
  Result<void> rows(const sql::Rows& rows, std::span<const int32_t>,
                    std::span<const uint8_t> keep) override {
    for (size_t row = 0; row < rows.count; ++row) {
      if (keep[row] == 0) continue;
      texts.emplace_back();
      writer_.append(rows, row, texts.back());
    }
    return {};
  }
  std::vector<std::string> texts;

 private:
  sql::JsonWriter writer_;
};

Result<std::vector<Tapped>> tap_table(Instance& instance, const store::Table& table, size_t limit) {
  auto definition = MR_TRY(table::definition_of(table));
  auto* log_topic = MR_TRY(find_topic(instance, definition.topic));
  auto topic = MR_TRY(topic::definition_of(*log_topic));
  auto engine = MR_TRY(sql::Engine::open({}));
  auto transform = sql::Transform::prepare(*engine, {.input = topic.name,
                                                     .columns = topic.columns,
                                                     .select = definition.select,
                                                     .expectations = definition.expectations,
                                                     .ttl = definition.ttl,
                                                     .avro = topic.avro});
  if (!transform) return fail(ErrorCode::kInvalid, "{}", transform.error().message);
  auto newest = MR_TRY(read_records(instance, topic.name, {.limit = limit}));
  topic::ValueText text(topic);
  std::vector<Tapped> tapped;
  for (auto& record : newest) {
    Tapped one;
    std::vector<sql::Failure> failures;
    RowTexts rows(transform->columns());
    std::string padded = record.value.value_or("");
    size_t size = padded.size();
    padded.append(sql::kJsonPadding, '\0');
    std::optional<std::string_view> value;
    if (record.value) value = std::string_view(padded).substr(0, size);
    MR_TRY(transform->run(std::span(&value, 1), rows, failures));
    one.record = std::move(record);
    if (one.record.value) one.record.value = text.of(*one.record.value);
    one.rows = std::move(rows.texts);
    if (!failures.empty()) one.failure = words_of(failures[0]);
    tapped.push_back(std::move(one));
  }
  return tapped;
}

}  // namespace

size_t bytes_of(const Record& record) {
  size_t bytes = (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
  for (const auto& [key, value] : record.headers) bytes += key.size() + value.size();
  return bytes;
}

Result<log::Topic*> find_topic(Instance& instance, std::string_view name) {
  auto* topic = instance.log().find_topic(name);
  if (topic != nullptr) return topic;
  std::vector<std::string> names;
  for (auto* other : instance.log().topics()) names.push_back(other->name());
  return no_such("topic", name, names);
}

Result<int64_t> query(Instance& instance, std::string_view sql, sql::QueryOutput& output,
                      std::stop_token stop) {
  std::vector<std::shared_ptr<const sql::Relation>> relations;
  std::vector<std::shared_ptr<topic::TopicRelation>> topics;
  for (const auto& table : instance.store().tables())
    relations.push_back(std::make_shared<table::TableRelation>(instance.store(), table));
  for (auto* topic : instance.log().topics()) {
    if (is_dead_letters_topic(topic->name())) continue;
    topics.push_back(
        std::make_shared<topic::TopicRelation>(*topic, MR_TRY(topic::definition_of(*topic))));
    relations.push_back(topics.back());
  }
  int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  MR_TRY(sql::run_query(
      {.threads = threads, .memory_bytes = limits::kQueryMemoryBytes, .stop = std::move(stop)}, sql,
      relations, output));
  int64_t undecodable = 0;
  for (const auto& topic : topics) undecodable += topic->undecodable();
  return undecodable;
}

Result<TopicDescription> describe_topic(Instance& instance, std::string_view name) {
  auto* topic = MR_TRY(find_topic(instance, name));
  auto definition = MR_TRY(topic::definition_of(*topic));
  TopicDescription description{.name = topic->name(),
                               .key = definition.key,
                               .format = definition.avro == nullptr ? "json" : "avro",
                               .columns = definition.columns,
                               .is_dead_letters = is_dead_letters_topic(name)};
  for (int32_t i = 0; i < topic->partition_count(); ++i) {
    auto& partition = topic->partition(PartitionId(i));
    description.partitions.push_back({.id = i,
                                      .start_offset = partition.start_offset().value,
                                      .end_offset = partition.end_offset().value,
                                      .bytes = partition.size_bytes()});
  }
  return description;
}

Result<std::vector<Record>> records(Instance& instance, std::string_view topic_name,
                                    const RecordsWanted& wanted) {
  auto found = MR_TRY(read_records(instance, topic_name, wanted));
  auto* topic = MR_TRY(find_topic(instance, topic_name));
  topic::ValueText text(MR_TRY(topic::definition_of(*topic)));
  for (auto& record : found)
    if (record.value) record.value = text.of(*record.value);
  return found;
}

Result<bool> wait_for_records(Instance& instance, std::string_view topic_name,
                              const std::vector<int64_t>& past, std::chrono::milliseconds timeout,
                              std::stop_token stop) {
  auto* topic = MR_TRY(find_topic(instance, topic_name));
  if (past.size() != static_cast<size_t>(topic->partition_count()))
    return fail(ErrorCode::kInvalid, "topic {} has {} partitions, so it takes as many offsets",
                topic_name, topic->partition_count());
  std::vector<Offset> positions;
  for (int64_t offset : past) positions.emplace_back(offset);
  return topic->wait(positions, timeout, std::move(stop));
}

Result<std::vector<Tapped>> tap(Instance& instance, std::string_view node, size_t limit) {
  std::vector<std::string> names;
  for (const auto& table : instance.store().tables()) {
    names.push_back(table->definition().full_name());
    if (names.back() == node) return tap_table(instance, *table, limit);
  }
  std::string topic_name(node);
  for (const auto& source : instance.status().sources) {
    names.push_back(source.name);
    if (source.name == node) topic_name = source.topic;
  }
  if (instance.log().find_topic(topic_name) == nullptr) {
    for (auto* topic : instance.log().topics()) names.push_back(topic->name());
    return no_such("source, topic or table", node, names);
  }
  std::vector<Tapped> tapped;
  for (auto& record : MR_TRY(records(instance, topic_name, {.limit = limit}))) {
    Tapped one;
    if (record.value) one.rows.push_back(*record.value);
    one.record = std::move(record);
    tapped.push_back(std::move(one));
  }
  return tapped;
}

}  // namespace millrace::pipeline
