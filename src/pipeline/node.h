// What the two kinds of loops share: their state and their rate, for the status.
#pragma once

#include <mutex>
#include <string>

#include "pipeline/rate.h"
#include "pipeline/status.h"

namespace millrace::pipeline {

// A node's state, written by its loop and read by anyone.
class NodeHealth {
 public:
  void set(NodeState state, std::string error = {}) {
    std::scoped_lock lock(mutex_);
    state_ = state;
    error_ = std::move(error);
  }
  template <class Status>
  void tell(Status& status) const {
    std::scoped_lock lock(mutex_);
    status.state = state_;
    status.error = error_;
  }

 private:
  mutable std::mutex mutex_;
  NodeState state_ = NodeState::kRunning;
  std::string error_;
};

}  // namespace millrace::pipeline
