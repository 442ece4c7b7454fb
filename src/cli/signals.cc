#include "cli/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "base/check.h"

namespace millrace::cli {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  auto set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  notified_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  MR_CHECK(signals_ >= 0 && notified_ >= 0);
}

StopSignals::~StopSignals() {
  close(signals_);
  close(notified_);
}

StopSignals::Woken StopSignals::wait(std::chrono::milliseconds timeout) {
  pollfd waited[] = {{signals_, POLLIN, 0}, {notified_, POLLIN, 0}};
  if (poll(waited, 2, static_cast<int>(timeout.count())) <= 0) return Woken::kTime;
  if ((waited[0].revents & POLLIN) != 0) {
    signalfd_siginfo taken;
    [[maybe_unused]] auto size = read(signals_, &taken, sizeof taken);
    return Woken::kSignal;
  }
  uint64_t count = 0;
  [[maybe_unused]] auto size = read(notified_, &count, sizeof count);
  return Woken::kNotified;
}

void StopSignals::notify() {
  uint64_t one = 1;
  [[maybe_unused]] auto size = write(notified_, &one, sizeof one);
}

void StopSignals::let_go() {
  auto set = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace millrace::cli
