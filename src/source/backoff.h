// How long to wait before trying again what failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/limits.h"
#include "source/random.h"

namespace millrace::source {

// limits::kBackoffFirst, doubling with each failure in a row up to limits::kBackoffMax, less up to
// a half of it by chance, so that sources that failed together do not come back together, nor do
// the same ones of other processes: give each a seed of its own. One thread.
class Backoff {
 public:
  // The most that a server's Retry-After is believed.
  static constexpr std::chrono::seconds kRetryAfterMax{3'600};

  explicit Backoff(uint64_t seed) : random_(seed) {}

  // The wait after one more failure. A server's Retry-After above zero wins, however short.
  std::chrono::milliseconds next(std::optional<std::chrono::seconds> retry_after = std::nullopt);

  // After a success: the next failure waits kBackoffFirst again.
  void reset() { wait_ = limits::kBackoffFirst; }

 private:
  Random random_;
  std::chrono::milliseconds wait_ = limits::kBackoffFirst;
};

}  // namespace millrace::source
