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

// How columns share a line.
struct Layout {
  std::vector<size_t> shown;   // positions of columns
  std::vector<size_t> widths;  // by position
};

size_t line_width(const std::vector<Column>& columns, const Layout& layout, size_t cap) {
  size_t width = (layout.shown.size() - 1) * kGap.size();
  for (size_t i : layout.shown)
    width += gives_way(columns[i]) ? std::min(layout.widths[i], cap) : layout.widths[i];
  return width;
}

void fit(const std::vector<Column>& columns, size_t width, Layout& layout) {
  size_t cap = *std::ranges::max_element(layout.widths);
  for (size_t i = columns.size(); i-- > 0 && line_width(columns, layout, cap) > width;)
    if (columns[i].optional && layout.shown.size() > 1) std::erase(layout.shown, i);
  while (cap > kNarrowest && line_width(columns, layout, cap) > width) --cap;
  for (size_t i = 0; i < columns.size(); ++i)
    if (gives_way(columns[i])) layout.widths[i] = std::min(layout.widths[i], cap);
}

class TablePrinter {
 public:
  TablePrinter(const std::vector<Column>& columns, std::vector<size_t> widths,
               const Terminal& terminal)
      : columns_(columns), terminal_(terminal) {
    layout_.widths = std::move(widths);
    for (size_t i = 0; i < columns.size(); ++i) layout_.shown.push_back(i);
    if (terminal.is_terminal) fit(columns, terminal.width, layout_);
  }

  template <class CellOf>
  void append_line(CellOf cell_of, std::string& to) const {
    size_t left = terminal_.is_terminal ? terminal_.width : std::numeric_limits<size_t>::max();
    size_t owed = 0;  // spaces, which do not end a line
    for (size_t i : layout_.shown) {
      if (left <= owed) break;
      Cell cell = cell_of(i);
      auto text = cut_to_width(cell.text, layout_.widths[i]);
      size_t width = display_width(text);
      size_t padding = layout_.widths[i] - width;
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
  Layout layout_;
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
