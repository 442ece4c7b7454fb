// MR_CHECK(condition): ends the process when a bug made the condition false, in every build.
// For what the world can do to us, see Result in base/error.h.
#pragma once

namespace millrace::internal {
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace millrace::internal

#define MR_CHECK(condition) \
  ((condition) ? void(0) : ::millrace::internal::check_failed(#condition, __FILE__, __LINE__))
