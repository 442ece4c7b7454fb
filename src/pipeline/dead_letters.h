// Records that were refused, kept in a topic of their own beside the node that refused them.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "log/log.h"
#include "record/record.h"
#include "sql/transform.h"

namespace millrace::pipeline {

// The dead-letter topic of a source or table is NODE.dead_letters.
inline constexpr std::string_view kDeadLettersSuffix = ".dead_letters";
std::string dead_letters_topic(std::string_view node);
bool is_dead_letters_topic(std::string_view topic);

// Headers of a dead letter; its key and value are those of the record refused. The first five are
// Kafka Connect's (KIP-298).
inline constexpr std::string_view kErrorTopic = "__connect.errors.topic";
inline constexpr std::string_view kErrorPartition = "__connect.errors.partition";
inline constexpr std::string_view kErrorOffset = "__connect.errors.offset";
inline constexpr std::string_view kErrorStage = "__connect.errors.stage";
inline constexpr std::string_view kErrorMessage = "__connect.errors.exception.message";
inline constexpr std::string_view kErrorRule = "millrace.rule";

// Where a record that was refused came from. For a source's item: the source's name, the page's
// sequence number as `partition`, the item's position in it as `offset`.
struct Origin {
  std::string_view topic;
  int64_t partition = 0;
  int64_t offset = 0;
};

// Writes one node's dead letters, each once, whatever is run again after a crash. One thread.
class DeadLetterWriter {
 public:
  // The topic has a partition for each of the node's input. It is made when the first is written.
  DeadLetterWriter(log::Log& log, std::string node, int32_t partitions);

  // Before the first add() of a partition, and after an error: forgets what was added; what is
  // there from `from` on (by Origin::partition, then offset) was written by a try that went no
  // further, or whose progress a crash took back, and is not written again.
  Result<void> recover(PartitionId partition, const Origin& from);

  // Adds one to what flush() writes, unless recover() found the same record of the same origin. An
  // API may answer otherwise when asked again: another record is another dead letter.
  Result<void> add(PartitionId partition, const Origin& origin, const sql::Failure& failure,
                   std::optional<std::string_view> key, std::string_view value,
                   int64_t timestamp_ms);
  // All added are on disk when it returns.
  Result<void> flush();

 private:
  // Origin::partition and offset, and the value's CRC32C and size.
  using Written = std::tuple<int64_t, int64_t, uint32_t, size_t>;
  struct Partition {
    record::BatchBuilder batch;
    std::set<Written> written;
  };
  Result<void> flush(PartitionId partition);
  Result<log::Topic*> topic();

  log::Log& log_;
  std::string node_;
  std::vector<Partition> partitions_;
};

}  // namespace millrace::pipeline
