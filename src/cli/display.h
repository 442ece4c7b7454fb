// Text as a terminal shows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace millrace::cli {

// What a stream can show.
struct Terminal {
  bool is_terminal = false;
  bool colour = false;
  size_t width = 80;        // columns
  size_t height = 24;       // lines
  bool can_redraw = false;  // a terminal whose cursor can be moved
};
// Of a file descriptor. Colour where it is a terminal, unless `no_colour` or NO_COLOR
// (no-color.org) or TERM=dumb says otherwise.
Terminal terminal_of(int descriptor, bool no_colour);
// Its size now: people resize terminals.
void measure(int descriptor, Terminal& terminal);

enum class Look : unsigned char { kPlain, kDim, kBold, kBad, kGood };
// With the escape sequences of the look where `colour`.
std::string paint(std::string_view text, Look look, bool colour);

// Once for the process, before the two below: widths are then those of Unicode.
void use_unicode_widths();
// Columns that a text without control characters takes.
size_t display_width(std::string_view text);
// The beginning of a text that takes at most `width` columns, "…" at its end where it was cut.
std::string cut_to_width(std::string_view text, size_t width);
// Its beginning and its end, "…" between them where something was cut out.
std::string cut_middle(std::string_view text, size_t width);

// Control characters as \n, \t, \x1b and bytes that are no UTF-8 as \xff, so that data cannot move
// a terminal's cursor or break a table.
std::string printable(std::string_view text);

}  // namespace millrace::cli
