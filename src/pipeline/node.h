// What the two kinds of loops share: their state and rate, for the status, and taking turns.
#pragma once

#include <mutex>
#include <string>
#include <utility>

#include "pipeline/rate.h"
#include "pipeline/status.h"

namespace millrace::pipeline {

// A node's state, written by its loop and read by anyone.
class NodeHealth {
 public:
  // Returns the state before.
  NodeState set(NodeState state, std::string error = {}) {
    std::scoped_lock lock(mutex_);
    error_ = std::move(error);
    return std::exchange(state_, state);
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

// A lock that is given in the order it was asked for: a loop that takes it for every batch leaves
// others their turn between two.
class Turns {
 public:
  void lock() {
    std::scoped_lock waiting(next_);
    own_.lock();
  }
  void unlock() { own_.unlock(); }

 private:
  std::mutex next_;
  std::mutex own_;
};

}  // namespace millrace::pipeline
