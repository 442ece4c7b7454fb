// A table's loop: read what has arrived, select, commit rows and offset, again.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "base/logger.h"
#include "io/clock.h"
#include "log/log.h"
#include "pipeline/dead_letter_share.h"
#include "pipeline/dead_letters.h"
#include "pipeline/node.h"
#include "pipeline/plan.h"
#include "pipeline/redrive.h"
#include "pipeline/tombstones.h"
#include "store/store.h"
#include "table/row_writer.h"
#include "topic/reader.h"

namespace millrace::pipeline {

// Made and run by one thread; finish_when_caught_up(), redrive(), status() and position() from any.
class TableLoop {
 public:
  TableLoop(TablePlan plan, log::Log& log, log::Topic& topic, store::Store& store,
            store::TablePtr table, Logger& logger, io::Clock& clock);

  // Finds how far the table has read.
  Result<void> recover();
  // Until stop; or, after finish_when_caught_up(), until every record that is there was taken, or
  // the error of a batch that failed too often in a row. Also ends with an error before a batch
  // with which more records are refused than the file allows: they wait in the topic.
  Result<void> run(std::stop_token stop);
  void finish_when_caught_up() { finishing_ = true; }

  // Takes dead letters of this table, each once, between two batches.
  Result<Redriven> redrive(std::span<const DeadLetter> letters);

  std::string name() const { return plan_.spec.full_name(); }
  const TablePlan& plan() const { return plan_; }
  TableStatus status() const;
  const log::Topic& topic() const { return topic_; }
  // The first record it has not yet committed.
  Offset position(PartitionId partition) const;

 private:
  // Takes at most one batch of each partition; whether there was any.
  Result<bool> take_batches(std::stop_token stop);
  Result<bool> take_batch(PartitionId partition);
  // `values`: of the records, as Transform reads them. Their times are in times_.
  Result<sql::Transform::Counts> make_rows(std::span<const record::RecordView> records,
                                           std::span<const std::optional<std::string_view>> values);
  Result<std::vector<Offset>> write_dead_letters(PartitionId partition,
                                                 std::span<const record::RecordView> records);
  Result<void> check_share(PartitionId partition, std::span<const record::RecordView> records);
  Result<Redriven> redrive_partition(PartitionId partition,
                                     std::span<const DeadLetter* const> letters,
                                     store::Progress& progress);
  void set_progress(PartitionId partition, const store::Progress& progress);
  Result<void> recover_dead_letters();
  void warn_of_removed(PartitionId partition);
  // Into status and log.
  void tell(NodeState state, std::string_view what, const Error& error);
  // The same, into the log only what was not said just now.
  void tell_again(const Error& error);

  TablePlan plan_;
  log::Topic& topic_;
  store::Store& store_;
  store::TablePtr table_;
  Logger& logger_;
  io::Clock& clock_;

  Turns turns_;  // for what follows, up to failures_, and writing progress_
  topic::Reader reader_;
  store::Batch batch_;
  table::RowWriter writer_;
  Tombstones tombstones_;
  DeadLetterWriter dead_letters_;
  bool dead_letters_known_ = false;      // those past the table's progress
  std::vector<store::WriteTime> times_;  // of a batch's records
  std::vector<sql::Failure> failures_;
  DeadLetterShare share_;
  bool is_stopped_ = false;        // by share_
  std::vector<Offset> positions_;  // by partition; as progress_, for run() alone
  std::atomic<bool> finishing_ = false;

  NodeHealth health_;
  std::string said_;  // the error last logged while it lasts, and when
  int64_t said_micros_ = 0;
  mutable Rate rate_;
  mutable std::mutex progress_mutex_;
  std::vector<store::Progress> progress_;  // by partition
};

// The numbers of a table, from its progress and its topic as they are.
void count(const store::Store& store, const store::Table& table, log::Topic& topic,
           const std::vector<store::Progress>& progress, TableStatus& status);

}  // namespace millrace::pipeline
