#include "cli/live_view.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace millrace::cli {
namespace {

void write_out(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

// To the first of the lines, then all below is empty.
std::string LiveView::erased() const {
  return lines_.empty() ? "" : fmt::format("\x1b[{}A\r\x1b[J", lines_.size());
}

std::string LiveView::drawn() const {
  std::string text;
  for (const auto& line : lines_) text += line + "\n";
  return text;
}

void LiveView::show(const std::function<std::vector<std::string>(const Terminal&)>& make_lines) {
  if (!terminal_.is_terminal) return;
  measure(STDERR_FILENO, terminal_);
  auto lines = make_lines(terminal_);
  // More lines than the terminal has could not be taken back.
  if (lines.size() >= terminal_.height) lines.resize(terminal_.height - 1);
  replace(std::move(lines));
}

void LiveView::replace(std::vector<std::string> lines) {
  std::scoped_lock lock(mutex_);
  auto text = erased();
  lines_ = std::move(lines);
  write_out(text + drawn());
}

void LiveView::clear() {
  replace({});
}

void LiveView::log(std::string_view lines) {
  std::scoped_lock lock(mutex_);
  write_out(erased() + std::string(lines) + drawn());
}

}  // namespace millrace::cli
