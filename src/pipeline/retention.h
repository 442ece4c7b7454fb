// Lets the oldest records of topics go, as the pipeline file says, once all tables have taken them.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/logger.h"
#include "io/clock.h"
#include "log/log.h"
#include "store/store.h"

namespace millrace::pipeline {

// Made by one thread, then run by one; waits_for() from any.
class Retention {
 public:
  // All given here outlive it.
  Retention(store::Store& store, Logger& logger, io::Clock& clock)
      : store_(store), logger_(logger), clock_(clock) {}

  void keep(log::Topic& topic, log::Retention retention) { topics_.push_back({&topic, retention}); }
  // Nothing goes that this table has not committed: `position` is the first such offset.
  void wait_for(std::string table, const log::Topic& topic,
                std::function<Offset(PartitionId)> position) {
    tables_.push_back({std::move(table), &topic, std::move(position)});
  }

  // Every ten seconds until stop. What fails is logged, and tried again.
  void run(std::stop_token stop);
  // A partition's error keeps no other from being cut. The first one.
  Result<void> apply();

  // The table whose reading the topic's retention waits for; empty: none.
  std::string waits_for(const std::string& topic) const;

 private:
  struct Kept {
    log::Topic* topic;
    log::Retention retention;
  };
  struct Reading {
    std::string table;
    const log::Topic* topic;
    std::function<Offset(PartitionId)> position;
  };
  struct Removal {
    log::Partition* partition;
    Offset before;
  };
  // What of a partition goes; `slowest`: the table that keeps some of it, if any.
  Result<std::optional<Removal>> find(const Kept& kept, PartitionId id, std::string& slowest);
  void note_waiting(const std::string& topic, const std::string& table);

  store::Store& store_;
  Logger& logger_;
  io::Clock& clock_;
  std::vector<Kept> topics_;
  std::vector<Reading> tables_;
  std::string last_error_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> waits_for_;  // by topic
  std::map<std::string, std::string> told_;       // what was logged of it; of run() alone
};

}  // namespace millrace::pipeline
