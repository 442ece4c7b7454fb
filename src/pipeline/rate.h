// How much per second, over the last ten seconds.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>

namespace millrace::pipeline {

// Safe from any thread; meant to be told once per batch.
class Rate {
 public:
  void add(int64_t count, int64_t now_micros) {
    std::scoped_lock lock(mutex_);
    auto& slot = slot_at(now_micros / 1'000'000);
    slot.count += count;
    if (first_second_ < 0) first_second_ = now_micros / 1'000'000;
  }

  double per_second(int64_t now_micros) {
    std::scoped_lock lock(mutex_);
    int64_t now = now_micros / 1'000'000;
    int64_t sum = 0;
    for (const auto& slot : slots_)
      if (slot.second > now - kSeconds && slot.second <= now) sum += slot.count;
    int64_t since_first = first_second_ < 0 ? kSeconds : now - first_second_ + 1;
    return static_cast<double>(sum) /
           static_cast<double>(std::clamp<int64_t>(since_first, 1, kSeconds));
  }

 private:
  static constexpr int64_t kSeconds = 10;
  struct Slot {
    int64_t second = -1;
    int64_t count = 0;
  };

  Slot& slot_at(int64_t second) {
    auto& slot = slots_[static_cast<size_t>(second % kSeconds)];
    if (slot.second != second) slot = {second, 0};
    return slot;
  }

  std::mutex mutex_;
  std::array<Slot, kSeconds> slots_;
  int64_t first_second_ = -1;
};

}  // namespace millrace::pipeline
