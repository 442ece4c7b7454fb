// The binary. Compiled for any x86-64, unlike the rest.
#include <sys/resource.h>
#include <unistd.h>

#include <string_view>

#include "cli/cli.h"

namespace {

// Before other static objects, whose making may already need what is checked here.
[[gnu::constructor(101)]] void check_processor() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v3") && __builtin_cpu_supports("pclmul")) return;
  constexpr std::string_view kWords =
      "millrace: this processor lacks AVX2, BMI2, FMA or PCLMUL, which this binary uses: it needs "
      "an x86-64-v3 processor (Intel since 2013, AMD since 2015), and a virtual machine that "
      "passes these on\n";
  [[maybe_unused]] auto written = write(STDERR_FILENO, kWords.data(), kWords.size());
  _exit(1);
}

// Each segment of a log and each file of a table is an open file. The system's soft limit is often
// 1,024, for the sake of programs that use select(), which this one does not.
void raise_open_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  raise_open_file_limit();
  return millrace::cli::run(argc, argv, MILLRACE_VERSION);
}
