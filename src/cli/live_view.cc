#include "cli/live_view.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace millrace::cli {
namespace {

// Terminals that know this mode (others ignore it) show what is between the two at once.
constexpr std::string_view kBegin = "\x1b[?2026h";
constexpr std::string_view kEnd = "\x1b[?2026l";
constexpr std::string_view kEraseLineEnd = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";

// What goes wrong here can be told nowhere.
void write_out(std::string_view text) {
  while (!text.empty()) {
    auto written = write(STDERR_FILENO, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd room{STDERR_FILENO, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

// Columns of a line with looks.
size_t shown_width(const std::string& line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b')
      i = line.find('m', i);
    else
      text += line[i];
  }
  return display_width(text);
}

}  // namespace

// A terminal that has become narrower shows a line that was too long for it as several.
std::string LiveView::to_first_line() const {
  size_t rows = 0;
  for (size_t width : widths_)
    rows += std::max<size_t>(1, (width + terminal_.width - 1) / terminal_.width);
  return rows == 0 ? "\r" : fmt::format("\x1b[{}A\r", rows);
}

// Writes over what is there, and erases only where less is written than was.
void LiveView::draw(std::string_view above) {
  std::string text(kBegin);
  text += to_first_line();
  if (!above.empty()) text += kEraseBelow;
  text += above;
  widths_.clear();
  for (const auto& line : lines_) {
    text += line;
    widths_.push_back(shown_width(line));
    // Behind the last column the cursor still stands on it.
    if (widths_.back() < terminal_.width) text += kEraseLineEnd;
    text += '\n';
  }
  text += kEraseBelow;
  text += kEnd;
  write_out(text);
}

void LiveView::show(const std::function<std::vector<std::string>(const Terminal&)>& make_lines) {
  if (!terminal_.can_redraw) return;
  std::scoped_lock lock(mutex_);
  measure(STDERR_FILENO, terminal_);
  lines_ = make_lines(terminal_);
  // More lines than the terminal has could not be taken back.
  if (lines_.size() >= terminal_.height) lines_.resize(terminal_.height - 1);
  draw("");
}

void LiveView::clear() {
  std::scoped_lock lock(mutex_);
  if (lines_.empty()) return;
  lines_.clear();
  draw("");
}

void LiveView::log(std::string_view lines) {
  std::scoped_lock lock(mutex_);
  if (lines_.empty()) return write_out(lines);
  measure(STDERR_FILENO, terminal_);
  draw(lines);
}

}  // namespace millrace::cli
