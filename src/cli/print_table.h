// Rows of text in columns.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/display.h"

namespace millrace::cli {

struct Cell {
  std::string text;
  Look look = Look::kPlain;
};

struct Column {
  std::string name;
  bool right = false;     // numbers
  bool whole = false;     // never cut: what people copy
  bool optional = false;  // left out, the last first, before others give way
};

// Takes whole lines, with their line end.
using Emit = std::function<Result<void>(std::string_view lines)>;

// Prints a header and rows, each column as wide as its widest cell, two spaces between. On a
// terminal, optional columns and then the widest columns of text give way until a line fits; what
// still does not is cut.
// `cell` is asked for each cell twice, row by row, the same each time. Errors: those of `emit`.
Result<void> print_table(const std::vector<Column>& columns, size_t row_count,
                         const std::function<Cell(size_t row, size_t column)>& cell,
                         const Terminal& terminal, const Emit& emit);
// The same of rows that are there.
Result<void> print_table(const std::vector<Column>& columns,
                         const std::vector<std::vector<Cell>>& rows, const Terminal& terminal,
                         const Emit& emit);

}  // namespace millrace::cli
