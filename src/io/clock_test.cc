#include "io/clock.h"

#include <gtest/gtest.h>

#include <thread>

namespace millrace::io {
namespace {

using namespace std::chrono_literals;

TEST(Clock, SystemClockWaitsAndCanBeStopped) {
  SystemClock clock;
  int64_t before = clock.monotonic_micros();
  EXPECT_TRUE(clock.wait(2ms, {}));
  EXPECT_GE(clock.monotonic_micros() - before, 2'000);
  EXPECT_GT(clock.now_micros(), 1'700'000'000'000'000);
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(clock.wait(1h, stop.get_token()));
  EXPECT_FALSE(clock.wait(0ms, stop.get_token()));
}

TEST(Clock, ManualClockMovesOnlyByHand) {
  ManualClock clock(5'000'000);
  EXPECT_EQ(clock.now_micros(), 5'000'000);
  EXPECT_TRUE(clock.wait(0ms, {}));
  std::jthread waiter([&](std::stop_token) { EXPECT_TRUE(clock.wait(10ms, {})); });
  while (clock.waiting() == 0) std::this_thread::yield();
  clock.advance(9ms);
  EXPECT_EQ(clock.waiting(), 1);
  clock.advance(1ms);
  waiter.join();
  EXPECT_EQ(clock.now_micros(), 5'010'000);
  EXPECT_EQ(clock.monotonic_micros(), 10'000);
  std::stop_source stop;
  std::jthread stopped([&] { EXPECT_FALSE(clock.wait(1h, stop.get_token())); });
  stop.request_stop();
}

}  // namespace
}  // namespace millrace::io
