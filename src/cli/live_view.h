// A few lines at the bottom of a terminal that change in place, with log lines going by above.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cli/display.h"

namespace millrace::cli {

// On stderr, where it is a terminal; elsewhere it only passes log lines on. log() is safe from
// any thread, the others belong to one.
class LiveView {
 public:
  explicit LiveView(const Terminal& terminal) : terminal_(terminal) {}

  // Lines without line ends, made for the terminal as it is now.
  void show(const std::function<std::vector<std::string>(const Terminal&)>& make_lines);
  // Removes them.
  void clear();
  // Whole lines that stay.
  void log(std::string_view lines);

 private:
  void replace(std::vector<std::string> lines);
  std::string erased() const;
  std::string drawn() const;

  Terminal terminal_;  // only for show()
  std::mutex mutex_;   // guards what follows, and what is written
  std::vector<std::string> lines_;
};

}  // namespace millrace::cli
