// Names of servers: one that is not there, and a name server that says nothing.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "source/source.h"
#include "source/test_api.h"

namespace millrace::source {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::HasSubstr;

constexpr std::string_view kUnknown = "unknown.test";
constexpr std::string_view kSilent = "silent.test";

// Those who ask for the silent name wait in it until they are let go.
class NameServer {
 public:
  void ask() {
    std::unique_lock lock(mutex_);
    ++asking_;
    moved_.notify_all();
    moved_.wait(lock, [&] { return let_go_; });
    --asking_;
    moved_.notify_all();
  }
  void wait_until_asked() {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return asking_ > 0; });
  }
  void let_go() {
    std::unique_lock lock(mutex_);
    let_go_ = true;
    moved_.notify_all();
    moved_.wait(lock, [&] { return asking_ == 0; });
    let_go_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  int asking_ = 0;
  bool let_go_ = false;
};

NameServer name_server;

Api api_of(std::string_view host, milliseconds connect_timeout) {
  auto spec = http(fmt::format("http://{}/api", host));
  spec.connect_timeout = connect_timeout;
  return Api(spec);
}

class ResolvingTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::setenv("no_proxy", "*", 1); }
};

}  // namespace
}  // namespace millrace::source

// libcurl finds this before the C library's.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  using namespace millrace::source;
  if (name != nullptr && name == kUnknown) return EAI_NONAME;
  if (name != nullptr && name == kSilent) {
    name_server.ask();
    return EAI_AGAIN;
  }
  static const auto next =
      reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return next(name, service, hints, found);
}

namespace millrace::source {
namespace {

TEST_F(ResolvingTest, AnUnknownNameIsTold) {
  auto body = api_of(kUnknown, milliseconds(10'000)).fetch();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(body.error().message(), HasSubstr("Could not resolve host: unknown.test"));
}

TEST_F(ResolvingTest, ASilentNameServerIsWaitedForAsLongAsConnectingMayTake) {
  auto began = steady_clock::now();
  {
    auto body = api_of(kSilent, milliseconds(100)).fetch();
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code(), ErrorCode::kUnavailable);
    EXPECT_THAT(body.error().message(), HasSubstr("no connection within 100ms"));
  }
  EXPECT_LT(steady_clock::now() - began, milliseconds(5'000));  // on a machine that is busy
  name_server.let_go();
}

TEST_F(ResolvingTest, AStopRequestEndsTheWaitForASilentNameServer) {
  std::stop_source stop;
  std::jthread stopper([&] {
    name_server.wait_until_asked();
    stop.request_stop();
  });
  {
    auto body = api_of(kSilent, milliseconds(60'000)).fetch(0, stop.get_token());
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code(), ErrorCode::kCancelled);
  }
  name_server.let_go();
}

}  // namespace
}  // namespace millrace::source
