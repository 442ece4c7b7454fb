#include "source/backoff.h"

#include <algorithm>

namespace millrace::source {

std::chrono::milliseconds Backoff::next(std::optional<std::chrono::seconds> retry_after) {
  auto whole = wait_;
  wait_ = std::min(wait_ * 2, limits::kBackoffMax);
  if (retry_after && retry_after->count() > 0) return std::min(*retry_after, kRetryAfterMax);
  return std::chrono::milliseconds(random_.between((whole / 2).count(), whole.count()));
}

}  // namespace millrace::source
