// Time, and waiting for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace millrace::io {

// Safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t now_micros() = 0;  // wall clock, since 1970-01-01T00:00:00Z; may be set back
  virtual int64_t monotonic_micros() = 0;  // since some moment; never goes back
  // Waits for this long. False, at once, when stop was or is requested.
  virtual bool wait(std::chrono::milliseconds duration, std::stop_token stop) = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t now_micros() override;
  int64_t monotonic_micros() override;
  bool wait(std::chrono::milliseconds duration, std::stop_token stop) override;
};

// Stands still until advance() moves both of its times, which wakes those whose wait is over.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now_micros = 0) : start_micros_(now_micros) {}
  int64_t now_micros() override;
  int64_t monotonic_micros() override;
  bool wait(std::chrono::milliseconds duration, std::stop_token stop) override;

  void advance(std::chrono::microseconds by);
  // How many threads are in wait() now, for a test to know that advance() will be seen.
  int waiting() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any moved_;
  const int64_t start_micros_;
  int64_t elapsed_micros_ = 0;
  int waiting_ = 0;
};

}  // namespace millrace::io
