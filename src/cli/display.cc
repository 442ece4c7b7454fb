#include "cli/display.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <cwchar>

#include "base/text.h"

namespace millrace::cli {
namespace {

struct Character {
  wchar_t code;
  size_t bytes;
};

// The first character of a text that is UTF-8.
Character first_character(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  auto lead = byte(0);
  if (lead < 0x80) return {static_cast<wchar_t>(lead), 1};
  size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (bytes > text.size()) return {L'?', 1};
  unsigned code = lead & (0xffU >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) code = code << 6 | (byte(i) & 0x3fU);
  return {static_cast<wchar_t>(code), bytes};
}

size_t width_of(wchar_t code) {
  if (code < 0x80) return 1;
  return static_cast<size_t>(std::max(0, wcwidth(code)));
}

bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f;
}

std::string_view escape_of(Look look) {
  switch (look) {
    case Look::kPlain:
      return "";
    case Look::kDim:
      return "\x1b[2m";
    case Look::kBold:
      return "\x1b[1m";
    case Look::kBad:
      return "\x1b[31m";
    case Look::kGood:
      return "\x1b[32m";
  }
  return "";
}

}  // namespace

Terminal terminal_of(int descriptor, bool no_colour) {
  Terminal terminal;
  terminal.is_terminal = isatty(descriptor) == 1;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  bool asked_for_none = no_colour || (no_color != nullptr && *no_color != '\0');
  bool is_dumb = term != nullptr && std::string_view(term) == "dumb";
  terminal.colour = terminal.is_terminal && !asked_for_none && !is_dumb;
  terminal.can_redraw = terminal.is_terminal && !is_dumb;
  measure(descriptor, terminal);
  return terminal;
}

void measure(int descriptor, Terminal& terminal) {
  winsize size{};
  if (!terminal.is_terminal || ioctl(descriptor, TIOCGWINSZ, &size) != 0) return;
  if (size.ws_col > 0) terminal.width = size.ws_col;
  if (size.ws_row > 0) terminal.height = size.ws_row;
}

std::string paint(std::string_view text, Look look, bool colour) {
  if (!colour || look == Look::kPlain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(look), text);
}

void use_unicode_widths() {
  std::setlocale(LC_CTYPE, "C.UTF-8");
}

size_t display_width(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    auto [code, bytes] = first_character(text);
    width += width_of(code);
    text.remove_prefix(bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, size_t width) {
  if (text.size() <= width || display_width(text) <= width) return std::string(text);
  if (width == 0) return "";
  size_t used = 0;
  size_t end = 0;
  while (end < text.size()) {
    auto [code, bytes] = first_character(text.substr(end));
    if (used + width_of(code) > width - 1) break;
    used += width_of(code);
    end += bytes;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string cut_middle(std::string_view text, size_t width) {
  size_t whole = display_width(text);
  if (whole <= width) return std::string(text);
  if (width < 3) return cut_to_width(text, width);
  auto tail = text;
  for (size_t left = whole; left > (width - 1) / 2;) {
    auto [code, bytes] = first_character(tail);
    left -= width_of(code);
    tail.remove_prefix(bytes);
  }
  return cut_to_width(text, width - display_width(tail)) + std::string(tail);
}

std::string printable(std::string_view text) {
  if (std::ranges::all_of(text, is_plain)) return std::string(text);
  bool is_text = is_utf8(text);
  std::string shown;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    auto byte = static_cast<unsigned char>(c);
    // C1 control characters are U+0080 to U+009F.
    bool is_c1 = is_text && byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c == '\n') {
      shown += "\\n";
    } else if (c == '\t') {
      shown += "\\t";
    } else if (c == '\r') {
      shown += "\\r";
    } else if (is_plain(c) || (byte >= 0x80 && is_text && !is_c1)) {
      shown += c;
    } else if (is_c1) {
      shown += fmt::format("\\u{:04x}", static_cast<unsigned char>(text[++i]));
    } else {
      shown += fmt::format("\\x{:02x}", byte);
    }
  }
  return shown;
}

}  // namespace millrace::cli
