#include "io/clock.h"

namespace millrace::io {

int64_t SystemClock::now_micros() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

int64_t SystemClock::monotonic_micros() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

bool SystemClock::wait(std::chrono::milliseconds duration, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

int64_t ManualClock::now_micros() {
  std::lock_guard lock(mutex_);
  return start_micros_ + elapsed_micros_;
}

int64_t ManualClock::monotonic_micros() {
  std::lock_guard lock(mutex_);
  return elapsed_micros_;
}

bool ManualClock::wait(std::chrono::milliseconds duration, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  int64_t until = elapsed_micros_ + std::chrono::microseconds(duration).count();
  ++waiting_;
  moved_.wait(lock, stop, [&] { return elapsed_micros_ >= until; });
  --waiting_;
  return !stop.stop_requested();
}

void ManualClock::advance(std::chrono::microseconds by) {
  {
    std::lock_guard lock(mutex_);
    elapsed_micros_ += by.count();
  }
  moved_.notify_all();
}

int ManualClock::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

}  // namespace millrace::io
