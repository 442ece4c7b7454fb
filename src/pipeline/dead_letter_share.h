// How many of a node's last records were refused, against the most that its file allows.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "base/error.h"

namespace millrace::pipeline {

// Counts from its making on. One thread.
class DeadLetterShare {
 public:
  // `max`: from 0 to 1; at 1 all may be refused.
  explicit DeadLetterShare(double max) : max_(max) {}

  void add(int64_t records, int64_t refused);
  // Fails (kLimit) where the share among the last limits::kShareRecords records, or all of these
  // where they are more, is above the maximum; fewer than kShareRecordsMin count as that many.
  // `newest`: why one of them was refused.
  Result<void> check_with(int64_t records, int64_t refused, const std::string& newest) const;

 private:
  struct Count {
    int64_t records = 0;
    int64_t refused = 0;
  };
  double max_;
  std::deque<Count> batches_;  // the newest last; no more than the last records need
  Count sum_;                  // of those
};

}  // namespace millrace::pipeline
