#include "cli/print_table.h"

#include <algorithm>
#include <limits>

namespace millrace::cli {
namespace {

constexpr std::string_view kGap = "  ";
constexpr size_t kNarrowest = 8;        // that a column of text gives way to
constexpr size_t kEmitBytes = 1 << 16;  // handed on at once

bool gives_way(const Column& column) {
  return !column.right && !column.whole;
}

// The most columns that a cell of text may take for a line to fit into `width`.
size_t narrowest_cap(const std::vector<Column>& columns, const std::vector<size_t>& widths,
                     size_t width) {
  auto line_with = [&](size_t cap) {
    size_t line = (widths.size() - 1) * kGap.size();
    for (size_t i = 0; i < widths.size(); ++i)
      line += gives_way(columns[i]) ? std::min(widths[i], cap) : widths[i];
    return line;
  };
  size_t cap = *std::ranges::max_element(widths);
  while (cap > kNarrowest && line_with(cap) > width) --cap;
  return cap;
}

class TablePrinter {
 public:
  TablePrinter(const std::vector<Column>& columns, std::vector<size_t> widths,
               const Terminal& terminal)
      : columns_(columns), widths_(std::move(widths)), terminal_(terminal) {
    if (!terminal.is_terminal) return;
    size_t cap = narrowest_cap(columns, widths_, terminal.width);
    for (size_t i = 0; i < widths_.size(); ++i)
      if (gives_way(columns[i])) widths_[i] = std::min(widths_[i], cap);
  }

  template <class CellOf>
  void append_line(CellOf cell_of, std::string& to) const {
    size_t left = terminal_.is_terminal ? terminal_.width : std::numeric_limits<size_t>::max();
    size_t owed = 0;  // spaces, which do not end a line
    for (size_t i = 0; i < columns_.size() && left > owed; ++i) {
      Cell cell = cell_of(i);
      auto text = cut_to_width(cell.text, widths_[i]);
      size_t width = display_width(text);
      size_t padding = widths_[i] - width;
      if (columns_[i].right) owed += padding;
      if (!text.empty() && left > owed) {
        to.append(owed, ' ');
        left -= owed;
        owed = 0;
        if (width > left) text = cut_to_width(text, left);
        to += paint(text, cell.look, terminal_.colour);
        left -= std::min(left, width);
      }
      owed += kGap.size() + (columns_[i].right ? 0 : padding);
    }
    to += '\n';
  }

 private:
  const std::vector<Column>& columns_;
  std::vector<size_t> widths_;
  const Terminal& terminal_;
};

}  // namespace

Result<void> print_table(const std::vector<Column>& columns, size_t row_count,
                         const std::function<Cell(size_t row, size_t column)>& cell,
                         const Terminal& terminal, const Emit& emit) {
  if (columns.empty()) return {};
  std::vector<size_t> widths;
  for (const auto& column : columns) widths.push_back(display_width(column.name));
  for (size_t row = 0; row < row_count; ++row) {
    for (size_t i = 0; i < columns.size(); ++i)
      widths[i] = std::max(widths[i], display_width(cell(row, i).text));
  }
  TablePrinter printer(columns, std::move(widths), terminal);
  std::string lines;
  printer.append_line([&](size_t i) { return Cell{columns[i].name, Look::kDim}; }, lines);
  for (size_t row = 0; row < row_count; ++row) {
    printer.append_line([&](size_t i) { return cell(row, i); }, lines);
    if (lines.size() < kEmitBytes) continue;
    MR_TRY(emit(lines));
    lines.clear();
  }
  return emit(lines);
}

Result<void> print_table(const std::vector<Column>& columns,
                         const std::vector<std::vector<Cell>>& rows, const Terminal& terminal,
                         const Emit& emit) {
  auto cell = [&](size_t row, size_t column) { return rows[row][column]; };
  return print_table(columns, rows.size(), cell, terminal, emit);
}

}  // namespace millrace::cli
