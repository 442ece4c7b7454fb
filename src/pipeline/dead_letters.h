// Records that were refused, kept in a topic of their own beside the node that refused them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
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

// "expect has_email: …".
std::string words_of(const sql::Failure& failure);

// Where a record that was refused came from. For a source's item: the source's name, the page's
// sequence number as `partition`, the item's position in it as `offset`.
struct Origin {
  std::string_view topic;
  int64_t partition = 0;
  int64_t offset = 0;
  // For a source's item, the id of the topic that its page goes to: pages are counted by topic.
  std::string_view fed = {};
};

// A record that is to become a dead letter.
struct Refused {
  Origin origin;
  std::string_view stage;  // as of sql::Stage
  std::string_view rule;   // of an expectation
  std::string_view error;
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // nullopt: a tombstone
  int64_t timestamp_ms = 0;               // the record's
  std::string_view place = {};            // as topic::kPlaceHeader has it; empty: at its offset
  std::string_view value_file = {};       // where the value is, if it is too large for a record
};

// One that was refused, with its raw bytes and where it came from.
struct DeadLetter {
  std::string node;       // the source or table that refused it
  int32_t partition = 0;  // of the dead-letter topic; with `offset` its address
  int64_t offset = 0;
  int64_t timestamp_ms = 0;  // when it was refused
  std::string stage;         // decode, sql, expect
  std::string rule;          // for expect
  std::string error;
  // The record refused: for a table by topic, partition and offset; for a source by page and item.
  std::string from_topic;
  int64_t from_partition = 0;
  int64_t from_offset = 0;
  int64_t from_timestamp_ms = 0;
  std::string place;  // see Refused
  std::string fed;    // see Origin
  std::optional<std::string> key;
  std::optional<std::string> value;  // nullopt: a tombstone
  bool has_record = true;            // false: a list left out key and value
  std::string value_file;            // not empty: the value is in this file of DATA_DIR/sources
  bool is_open = true;               // false: redriven, or its record was taken after all

  std::string address() const;  // NODE/PARTITION/OFFSET
};
// Of a record of a dead-letter topic. Errors: kCorrupt.
Result<DeadLetter> to_dead_letter(std::string_view topic, int32_t partition,
                                  const record::RecordView& record);
struct DeadLetterAddress {
  std::string node;
  int32_t partition = 0;
  int64_t offset = 0;
};
// Errors: kInvalid.
Result<DeadLetterAddress> parse_dead_letter_address(std::string_view text);

// Writes one node's dead letters, each once, whatever is run again after a crash. One thread at a
// time.
class DeadLetterWriter {
 public:
  // The topic has a partition for each of the node's input. It is made when the first is written.
  DeadLetterWriter(log::Log& log, std::string node, int32_t partitions);

  // For a table, before the first write() of a partition and after an error: what is there from
  // `from` on (by Origin::partition, then offset) was written by a try that went no further, or
  // whose progress a crash took back. It is shown and not written again; what was found before is
  // forgotten.
  Result<void> recover(PartitionId partition, const Origin& from);
  // For a source: fails (kIo) where an earlier writer left what is not shown.
  Result<void> check();
  // For a source: removes what is not shown, and at a start what was written for the page
  // `page.partition`, which is not in the topic `page.fed`.
  Result<void> take_back(const Origin& page);
  // Where that begins; the end of the dead letters where there is none, 0 without a topic.
  static Result<Offset> find_page(log::Log& log, std::string_view node, const Origin& page);

  // Returns the offset of each. All are on disk when it returns, and readers see those that were
  // not there before with show(). The same record of the same origin, refused for the same
  // reason, is written once.
  Result<std::vector<Offset>> write(PartitionId partition, std::span<const Refused> refused,
                                    int64_t now_ms);
  // Returns the partition's end, 0 where there is no topic.
  Offset show(PartitionId partition);

 private:
  // Origin::partition and offset, the value's CRC32C and size, and the CRC32C of stage and rule.
  using Identity = std::tuple<int64_t, int64_t, uint32_t, size_t, uint32_t>;
  struct Partition {
    std::map<Identity, Offset> known;
  };
  static Identity identity_of(const Origin& origin, std::string_view stage, std::string_view rule,
                              std::string_view value);
  Result<log::Topic*> topic();
  log::Topic* find_topic() { return log_.find_topic(dead_letters_topic(node_)); }

  log::Log& log_;
  std::string node_;
  std::vector<Partition> partitions_;
  record::BatchBuilder batch_;
};

}  // namespace millrace::pipeline
