// Random tests: a run for each seed, and the command that replays the one that fails.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace millrace {

// Runs are several times slower with clang's sanitizers: there are a quarter as many then.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MR_IS_SLOW 1
#endif
#endif
#ifdef MR_IS_SLOW
inline constexpr uint64_t kSlowness = 4;
#else
inline constexpr uint64_t kSlowness = 1;
#endif

// One seed was asked for: a run then tells what it does.
inline bool replaying() {
  return std::getenv("MILLRACE_SEED") != nullptr;
}

// Runs seeds 1 to `count` (see kSlowness); or the one in MILLRACE_SEED; or those in MILLRACE_SEEDS
// (1000-1999). Every seed is run; the test fails once, with what the first failing seed says.
inline void run_seeds(uint64_t count, const std::function<Result<void>(uint64_t seed)>& run) {
  uint64_t first = 1;
  uint64_t last = count / kSlowness;
  if (const char* one = std::getenv("MILLRACE_SEED")) {
    first = last = std::stoull(one);
  } else if (const char* range = std::getenv("MILLRACE_SEEDS")) {
    std::string_view text = range;
    first = std::stoull(range);
    last = std::stoull(std::string(text.substr(text.find('-') + 1)));
  }
  std::vector<uint64_t> failed;
  std::string message;
  for (uint64_t seed = first; seed <= last; ++seed) {
    auto ran = run(seed);
    if (ran) continue;
    failed.push_back(seed);
    if (message.empty()) message = ran.error().message();
  }
  if (failed.empty()) return;
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  ADD_FAILURE() << fmt::format(
      "seed {}: {}\nreplay it: MILLRACE_SEED={} {} --gtest_filter={}.{}\n{} of {} seeds failed",
      failed[0], message, failed[0], std::filesystem::read_symlink("/proc/self/exe").string(),
      test->test_suite_name(), test->name(), failed.size(), last - first + 1);
}

}  // namespace millrace
