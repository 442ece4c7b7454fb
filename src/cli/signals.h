// Being asked to stop.
#pragma once

#include <chrono>

namespace millrace::cli {

// Takes SIGINT and SIGTERM away from all threads started after it, for wait() to tell of them.
class StopSignals {
 public:
  enum class Woken : unsigned char { kSignal, kNotified, kTime };

  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  Woken wait(std::chrono::milliseconds timeout);
  // Ends the wait() that is under way, or the next. From any thread.
  void notify();
  // From now on such a signal ends the process at once.
  void let_go();

 private:
  int signals_;
  int notified_;
};

}  // namespace millrace::cli
