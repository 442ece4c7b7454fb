// Cutting a topic of a data directory at rest: what mends one that is damaged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "base/logger.h"
#include "io/clock.h"
#include "pipeline/data_directory.h"
#include "store/store.h"

namespace millrace::pipeline {

struct TopicPlace {
  std::string topic;
  PartitionId partition;
  Offset offset;
};
// "users/0/1234". Errors: kInvalid.
Result<TopicPlace> parse_topic_place(std::string_view text);

// Removes the records of a partition from an offset on, and what stands or falls with them:
// - A source's page goes from all partitions or from none, so the topic goes back to a whole page,
//   and the source asks again from there. Its dead letters of later pages go, too.
// - A table that has taken such records keeps its rows. Its place goes back to the new end, and its
//   counts by as much, so that their sum holds; how many of them it had written and how many
//   filtered is known by their proportion only. Its dead letters of such records are no longer
//   open; they stay in their topic.
// It is planned, which changes nothing, then carried out. No process has the data directory, and
// this one holds its lock.
class TopicCut {
 public:
  // Errors: kNotFound (no such place), kInvalid (no batch begins there), kCorrupt (there is damage
  // before it, or in what depends on it), kUnsupported (what depends on it cannot follow), kIo.
  static Result<TopicCut> plan(const DataDirectory& directory, const TopicPlace& place,
                               Logger& logger, io::Clock& clock);

  // What it does and costs, a line each, for people.
  const std::vector<std::string>& words() const { return words_; }

  // Durable when it returns. What a crash leaves undone, planning and carrying out again does.
  Result<void> carry_out();

 private:
  friend class TopicCutPlanner;
  struct PartitionCut {
    std::string topic;
    PartitionId partition;
    Offset end;
  };

  explicit TopicCut(DataDirectory directory) : directory_(std::move(directory)) {}

  DataDirectory directory_;
  std::vector<std::string> words_;
  std::unique_ptr<store::Store> store_;  // nullptr: nothing changes in it
  store::Batch batch_;
  std::string cursor_file_;  // to be removed; empty: none
  std::string ledger_file_;  // to be replaced by `ledger_`; empty: none
  std::string ledger_;
  std::vector<PartitionCut> cuts_;  // in the order in which they are made
};

}  // namespace millrace::pipeline
