// Which dead letters of a node are open: counted as such, and not redriven.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "log/log.h"
#include "pipeline/dead_letters.h"
#include "pipeline/source_ledger.h"
#include "store/store.h"
#include "topic/reader.h"

namespace millrace::pipeline {

class Instance;

// About as of now: what is redriven meanwhile may still be among them. One thread.
class OpenDeadLetters {
 public:
  // A node that the data directory knows nothing of has none.
  static Result<OpenDeadLetters> of(Instance& instance, std::string_view node);

  // The first at or after `from` in a partition of the dead-letter topic; nullopt: none. It may be
  // one that fed a topic which the source feeds no more: feeds_its_topic() tells.
  Result<std::optional<int64_t>> next(int32_t partition, int64_t from);
  bool feeds_its_topic(const DeadLetter& letter) const {
    return !is_source_ || std::ranges::any_of(of_source_, [&](const SourceLetters& letters) {
      return letters.is_open(letter);
    });
  }

 private:
  // Of a source, by the topics that it feeds or fed.
  bool is_source_ = false;
  std::vector<SourceLetters> of_source_;
  // Of a table, and of one partition those from `read_from_` up to, not including, `read_to_`.
  store::Store* store_ = nullptr;
  store::TablePtr table_;
  std::string topic_;
  int32_t partition_ = -1;
  int64_t read_from_ = 0;
  int64_t read_to_ = 0;
  std::vector<Offset> offsets_;
};

// Where reading a dead-letter topic goes on, and where it ends.
struct DeadLetterPosition {
  int32_t partition = 0;
  int64_t offset = 0;        // the next one of this partition
  std::vector<int64_t> end;  // by partition
};

// Reads a dead-letter topic from its beginning to its end as of now, partition by partition.
class DeadLetterScan {
 public:
  // `closed_too`: not only those that are open.
  DeadLetterScan(log::Topic& topic, OpenDeadLetters open, bool closed_too);
  // Goes on where another scan was. Errors: kInvalid, where that is nowhere in this topic.
  Result<void> go_to(DeadLetterPosition position);

  // nullopt at the end. Errors: kCorrupt, kIo.
  Result<std::optional<DeadLetter>> next();
  const DeadLetterPosition& position() const { return at_; }
  bool is_at_end() const { return at_.partition == topic_->partition_count(); }

 private:
  // Moves to the next letter to read; false where the partition has no more.
  Result<bool> find();

  log::Topic* topic_;
  OpenDeadLetters open_;
  bool closed_too_;
  DeadLetterPosition at_;
  topic::Reader reader_;
  std::span<const record::RecordView> records_;
};

}  // namespace millrace::pipeline
