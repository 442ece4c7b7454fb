#include "cli/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "base/check.h"

namespace millrace::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLastWords{200};

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals) sigaddset(&set, signal);
  return set;
}

bool has_terminal() {
  int terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (terminal >= 0) close(terminal);
  return terminal >= 0;
}

// As nohup leaves it to who it starts.
bool is_hangup_ignored() {
  struct sigaction action{};
  sigaction(SIGHUP, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

// As if it had never been taken away.
void end_by(int number) {
  std::signal(number, SIG_DFL);
  auto set = set_of({number});
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::raise(number);
}

}  // namespace

Signals::Signals(milliseconds stop_max, std::function<void()> last_words)
    : stop_max_(stop_max),
      last_words_(std::move(last_words)),
      ends_with_terminal_(has_terminal() && !is_hangup_ignored()) {
  auto set = set_of({SIGINT, SIGTERM, SIGHUP, SIGWINCH});
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  closed_ = eventfd(0, EFD_CLOEXEC);
  MR_CHECK(signals_ >= 0 && closed_ >= 0);
  thread_ = std::thread([this] { hear(); });
}

Signals::~Signals() {
  uint64_t one = 1;
  [[maybe_unused]] auto size = write(closed_, &one, sizeof one);
  thread_.join();
  close(signals_);
  close(closed_);
}

Signals::Woken Signals::wait(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  auto* told = std::ranges::find(told_, true);
  woken_.wait_for(lock, timeout, [&] {
    told = std::ranges::find(told_, true);
    return told != std::end(told_);
  });
  if (told == std::end(told_)) return Woken::kTime;
  auto woken = static_cast<Woken>(told - std::begin(told_));
  if (woken != Woken::kStop) *told = false;
  return woken;
}

void Signals::notify() {
  tell(Woken::kNotified);
}

void Signals::tell(Woken woken) {
  std::scoped_lock lock(mutex_);
  told_[std::to_underlying(woken)] = true;
  woken_.notify_all();
}

void Signals::hear() {
  pollfd heard[] = {{signals_, POLLIN, 0}, {closed_, POLLIN, 0}};
  while ((heard[1].revents & POLLIN) == 0) {
    int ready = poll(heard, 2, ms_to_end());
    if (ready == 0) return end_by_force();
    signalfd_siginfo signal;
    bool is_signal = ready > 0 && (heard[0].revents & POLLIN) != 0 &&
                     read(signals_, &signal, sizeof signal) == sizeof signal;
    if (is_signal) take(static_cast<int>(signal.ssi_signo));
  }
}

void Signals::take(int signal) {
  if (signal == SIGWINCH) return tell(Woken::kResized);
  // A terminal that closes sends SIGHUP, too.
  if (signal == SIGHUP && !(ends_with_terminal_ && !has_terminal())) return tell(Woken::kReload);
  if (end_ && signal != SIGHUP) end_by(signal);
  if (!end_) end_ = steady_clock::now() + stop_max_;
  tell(Woken::kStop);
}

int Signals::ms_to_end() const {
  if (!end_) return -1;
  auto left = std::chrono::ceil<milliseconds>(*end_ - steady_clock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

void Signals::end_by_force() {
  std::thread([this] {
    last_words_();
    _exit(1);
  }).detach();
  std::this_thread::sleep_for(kLastWords);
  _exit(1);
}

}  // namespace millrace::cli
