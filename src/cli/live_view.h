// A few lines at the bottom of a terminal that change in place, with log lines going by above.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cli/display.h"

namespace millrace::cli {

// On stderr, where it is a terminal whose cursor can be moved; elsewhere it only passes log lines
// on. Each change is one write, over what is there, so nothing flickers and nothing is torn.
// log() is safe from any thread, the others belong to one.
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
  void draw(std::string_view above);
  std::string to_first_line() const;

  std::mutex mutex_;  // guards all that follows, and what is written
  Terminal terminal_;
  std::vector<std::string> lines_;
  std::vector<size_t> widths_;  // of the lines that the terminal shows
};

}  // namespace millrace::cli
