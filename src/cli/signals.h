// Being asked to stop, to read the file again, or to draw anew.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace millrace::cli {

// Takes these signals away from all threads started after it, and hears them on a thread of its
// own, so whatever hangs: a second one that asks to stop ends the process at once; and `stop_max`
// after the first the process ends by force, with exit status 1, unless this is destroyed before.
class Signals {
 public:
  enum class Woken : unsigned char {
    kStop,      // SIGINT, SIGTERM, or the terminal that it was started from is gone; for ever
    kNotified,  // by notify()
    kReload,    // SIGHUP
    kResized,   // the terminal: SIGWINCH
    kTime,
  };

  // `last_words`: called before the end by force, for a moment: what hangs may hang there too.
  Signals(std::chrono::milliseconds stop_max, std::function<void()> last_words);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  Woken wait(std::chrono::milliseconds timeout);
  // Ends the wait() that is under way, or the next. From any thread.
  void notify();

 private:
  void hear();
  void take(int signal);
  void tell(Woken woken);
  int ms_to_end() const;  // as poll() takes it
  void end_by_force();

  const std::chrono::milliseconds stop_max_;
  const std::function<void()> last_words_;
  const bool ends_with_terminal_;
  int signals_;
  int closed_;
  std::optional<std::chrono::steady_clock::time_point> end_;  // of hear() alone

  std::mutex mutex_;  // guards what follows
  std::condition_variable woken_;
  bool told_[5] = {};  // by Woken

  std::thread thread_;
};

}  // namespace millrace::cli
