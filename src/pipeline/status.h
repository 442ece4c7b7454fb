// What is going on, in numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::pipeline {

enum class NodeState : uint8_t {
  kAtRest,  // nothing runs on this data directory
  kRunning,
  kWaiting,   // the last attempt failed; it will be tried again
  kStopped,   // more records were refused than the file allows; until the next start
  kFinished,  // a run that has ended (up --once)
};
std::string_view to_string(NodeState state);  // "at rest", "running", …

struct SourceStatus {
  std::string name;
  std::string topic;
  NodeState state = NodeState::kAtRest;
  std::string error;         // why it waits; empty otherwise
  double records_per_s = 0;  // over the last ten seconds
  int64_t pages = 0;
  // items = records + filtered + dead_letters
  int64_t items = 0;
  int64_t records = 0;
  int64_t filtered = 0;
  int64_t dead_letters = 0;  // those still open
  int64_t redriven = 0;      // that were dead letters; counted as records or filtered now
};

struct TopicStatus {
  std::string name;
  int32_t partitions = 0;
  int64_t records = 0;
  uint64_t bytes = 0;
  // The table that has not yet taken records which could go otherwise; empty: none.
  std::string retention_waits_for;
  bool is_dead_letters = false;
};

struct TableStatus {
  std::string name;  // keyspace.table
  std::string topic;
  NodeState state = NodeState::kAtRest;
  std::string error;
  double records_per_s = 0;
  int64_t records_in = 0;  // all that the topic ever had
  int64_t written = 0;
  int64_t filtered = 0;
  int64_t dead_letters = 0;  // those still open
  int64_t redriven = 0;      // that were dead letters; counted as written or filtered now
  int64_t waiting = 0;       // the table's lag, in records
  int64_t removed = 0;       // by retention, before the table read them
  uint64_t bytes = 0;        // on disk, about
  bool balanced() const {
    return records_in == written + filtered + dead_letters + waiting + removed;
  }
};

struct Status {
  std::string pipeline;  // its name; empty at rest
  std::string data_dir;
  bool running = false;
  int64_t uptime_ms = 0;
  std::vector<SourceStatus> sources;
  std::vector<TopicStatus> topics;
  std::vector<TableStatus> tables;
};

}  // namespace millrace::pipeline
