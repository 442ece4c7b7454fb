// Looking into a data directory, whether a pipeline runs on it or not.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "pipeline/instance.h"
#include "schema/type.h"
#include "sql/query.h"

namespace millrace::pipeline {

// Runs a SELECT over all tables (keyspace.table) and topics (by name; dead-letter topics are not
// among them), until stop is requested. Returns how many records of topics could not be decoded and
// so made no row.
Result<int64_t> query(Instance& instance, std::string_view sql, sql::QueryOutput& output,
                      std::stop_token stop = {});

// Errors: kNotFound, with the nearest name.
Result<log::Topic*> find_topic(Instance& instance, std::string_view name);

struct TopicDescription {
  std::string name;
  std::vector<std::string> key;  // columns
  std::string format;            // "json", "avro"
  schema::Columns columns;
  bool is_dead_letters = false;
  struct Partition {
    int32_t id = 0;
    int64_t start_offset = 0;
    int64_t end_offset = 0;
    uint64_t bytes = 0;
  };
  std::vector<Partition> partitions;
};
// Errors: kNotFound, with the nearest name.
Result<TopicDescription> describe_topic(Instance& instance, std::string_view name);

// A record, owned; its value as JSON where the topic has it so or in Avro.
struct Record {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
};

// One look returns about so many bytes of records, and one record at least.
inline constexpr size_t kLookBytes = limits::kBatchBytes;

struct RecordsWanted {
  std::optional<int32_t> partition;    // nullopt: all
  std::optional<int64_t> from_offset;  // of each partition asked for
  std::optional<int64_t> from_time_ms;
  // Without either: the last `limit` of all partitions asked for.
  size_t limit = 10;          // at most limits::kApiRecordsMax
  size_t bytes = kLookBytes;  // where they have more, there are fewer
};
size_t bytes_of(const Record& record);
// By timestamp, then partition and offset.
Result<std::vector<Record>> records(Instance& instance, std::string_view topic,
                                    const RecordsWanted& wanted);
// Waits for records past these offsets (one for each partition); false after the timeout.
Result<bool> wait_for_records(Instance& instance, std::string_view topic,
                              const std::vector<int64_t>& past, std::chrono::milliseconds timeout,
                              std::stop_token stop);

// What the newest records of a node became: for a source or topic the records, for a table what
// its SELECT makes of its topic's newest records now.
struct Tapped {
  Record record;
  std::vector<std::string> rows;  // JSON objects; none: filtered, or a failure
  std::string failure;            // "expect has_email: …"; empty: none
};
// `node`: a source, a topic or keyspace.table. Errors: kNotFound, with the nearest name.
Result<std::vector<Tapped>> tap(Instance& instance, std::string_view node, size_t limit);

}  // namespace millrace::pipeline
