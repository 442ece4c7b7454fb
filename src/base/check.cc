#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace millrace::internal {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr,
               "millrace: bug: %s is false at %s:%d\n"
               "What was acknowledged is on disk; please report this line.\n",
               condition, file, line);
  std::abort();
}

}  // namespace millrace::internal
