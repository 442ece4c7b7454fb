// The binary. Compiled for any x86-64, unlike the rest.
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

}  // namespace

int main(int argc, char** argv) {
  return millrace::cli::run(argc, argv, MILLRACE_VERSION);
}
