// A few lines at the bottom of a terminal that change in place, with log lines going by above.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cli/display.h"

namespace millrace::cli {

// On stderr, where it is a terminal; elsewhere it only passes log lines on. Safe from any thread.
class LiveView {
 public:
  explicit LiveView(const Terminal& terminal) : terminal_(terminal) {}

  // Lines without line ends, none wider than the terminal.
  void show(std::vector<std::string> lines);
  // Removes them.
  void clear();
  // Whole lines that stay.
  void log(std::string_view lines);

 private:
  std::string erased() const;
  std::string drawn() const;

  const Terminal terminal_;
  std::mutex mutex_;  // guards what follows, and what is written
  std::vector<std::string> lines_;
};

}  // namespace millrace::cli
