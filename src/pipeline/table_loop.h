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
#include "pipeline/dead_letters.h"
#include "pipeline/node.h"
#include "pipeline/plan.h"
#include "pipeline/tombstones.h"
#include "store/store.h"
#include "table/row_writer.h"
#include "topic/reader.h"

namespace millrace::pipeline {

// Made and run by one thread; finish_when_caught_up(), status() and position() from any.
class TableLoop {
 public:
  TableLoop(TablePlan plan, log::Log& log, log::Topic& topic, store::Store& store,
            store::TablePtr table, Logger& logger, io::Clock& clock);

  // Finds how far the table has read.
  Result<void> recover();
  // Until stop; or, after finish_when_caught_up(), until every record that is there was taken, or
  // the error of a batch that failed too often in a row.
  Result<void> run(std::stop_token stop);
  void finish_when_caught_up() { finishing_ = true; }

  std::string name() const { return plan_.spec.full_name(); }
  TableStatus status() const;
  const log::Topic& topic() const { return topic_; }
  // The first record it has not yet committed.
  Offset position(PartitionId partition) const;

 private:
  // Takes at most one batch of each partition; whether there was any.
  Result<bool> take_batches(std::stop_token stop);
  Result<bool> take_batch(PartitionId partition);
  Result<sql::Transform::Counts> make_rows(std::span<const record::RecordView> records);
  Result<void> recover_dead_letters();
  void warn_of_removed(PartitionId partition);

  TablePlan plan_;
  log::Topic& topic_;
  store::Store& store_;
  store::TablePtr table_;
  Logger& logger_;
  io::Clock& clock_;
  topic::Reader reader_;
  store::Batch batch_;
  table::RowWriter writer_;
  Tombstones tombstones_;
  DeadLetterWriter dead_letters_;
  bool dead_letters_known_ = false;  // those past the table's progress
  std::vector<sql::Failure> failures_;
  std::vector<Offset> positions_;  // by partition; as progress_
  std::atomic<bool> finishing_ = false;

  NodeHealth health_;
  mutable Rate rate_;
  mutable std::mutex progress_mutex_;
  std::vector<store::Progress> progress_;  // by partition
};

// The numbers of a table, from its progress and its topic as they are.
void count(const store::Store& store, const store::Table& table, log::Topic& topic,
           const std::vector<store::Progress>& progress, TableStatus& status);

}  // namespace millrace::pipeline
