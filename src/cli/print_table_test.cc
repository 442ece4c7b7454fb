#include "cli/print_table.h"

#include <gtest/gtest.h>

namespace millrace::cli {
namespace {

const Terminal kPipe;
const Terminal kNarrow = {.is_terminal = true, .width = 30};
const Terminal kColour = {.is_terminal = true, .colour = true, .width = 80};

std::string print(const std::vector<Column>& columns, const std::vector<std::vector<Cell>>& rows,
                  const Terminal& terminal) {
  use_unicode_widths();
  std::string text;
  auto printed = print_table(columns, rows, terminal, [&](std::string_view lines) -> Result<void> {
    text += lines;
    return {};
  });
  EXPECT_TRUE(printed);
  return text;
}

TEST(PrintTable, AlignsTextLeftAndNumbersRightWithoutSpacesAtLineEnds) {
  EXPECT_EQ(print({{"NAME"}, {"COUNT", true}, {"NOTE"}},
                  {{{"a"}, {"1,000"}, {"x"}}, {{"longer"}, {"7"}, {""}}}, kPipe),
            "NAME    COUNT  NOTE\n"
            "a       1,000  x\n"
            "longer      7\n");
}

TEST(PrintTable, CountsColumnsOfTheTerminalNotBytes) {
  EXPECT_EQ(print({{"NAME"}, {"N", true}},
                  {{{"日本"}, {"1"}}, {{"é"}, {"2"}}, {{"e\u0301"}, {"3"}}}, kPipe),
            "NAME  N\n"
            "日本  1\n"
            "é     2\n"
            "e\u0301     3\n");
}

TEST(PrintTable, CutsTheWidestColumnsOnTerminalsOnly) {
  std::vector<Column> columns = {{"ADDRESS", false, true}, {"TEXT"}, {"N", true}};
  std::vector<std::vector<Cell>> rows = {{{"orders/0/12"}, {std::string(40, 'x')}, {"12345"}}};
  EXPECT_EQ(print(columns, rows, kNarrow),
            "ADDRESS      TEXT            N\n"
            "orders/0/12  xxxxxxxxx…  12345\n");
  EXPECT_EQ(print(columns, rows, kPipe),
            "ADDRESS      TEXT                                          N\n"
            "orders/0/12  " +
                std::string(40, 'x') + "  12345\n");
}

TEST(PrintTable, OptionalColumnsAreLeftOutFirst) {
  std::vector<Column> columns = {{"NAME"}, {"FROM", false, false, true}, {"N", true}};
  std::vector<std::vector<Cell>> rows = {{{"a.long.name.of.a.table"}, {"orders"}, {"1,234"}}};
  EXPECT_EQ(print(columns, rows, kNarrow),
            "NAME                        N\n"
            "a.long.name.of.a.table  1,234\n");
  EXPECT_EQ(print(columns, rows, kColour).find("FROM") != std::string::npos, true);
}

TEST(PrintTable, NoLineIsWiderThanTheTerminal) {
  std::vector<Column> columns;
  std::vector<Cell> row;
  for (int i = 0; i < 9; ++i) {
    columns.push_back({"COLUMN"});
    row.push_back({"日本日本日本日本"});
  }
  auto text = print(columns, {row}, kNarrow);
  EXPECT_LE(display_width(text.substr(0, text.find('\n'))), 30U);
  auto line = text.substr(text.find('\n') + 1);
  line.pop_back();
  EXPECT_LE(display_width(line), 30U);
  EXPECT_EQ(print({{"A"}}, {{{std::string(31, 'x')}}}, kNarrow),
            "A\n" + std::string(29, 'x') + "…\n");
}

TEST(PrintTable, LooksAreForColourTerminals) {
  std::vector<std::vector<Cell>> rows = {{{"NULL", Look::kDim}, {"3", Look::kBad}}};
  EXPECT_EQ(print({{"A"}, {"B"}}, rows, kPipe), "A     B\nNULL  3\n");
  EXPECT_EQ(print({{"A"}, {"B"}}, rows, kColour),
            "\x1b[2mA\x1b[0m     \x1b[2mB\x1b[0m\n\x1b[2mNULL\x1b[0m  \x1b[31m3\x1b[0m\n");
}

TEST(PrintTable, ErrorsOfTheOutputEndIt) {
  auto printed = print_table({{"A"}}, {{{"1"}}}, kPipe, [](std::string_view) -> Result<void> {
    return fail(ErrorCode::kIo, "disk full");
  });
  ASSERT_FALSE(printed);
  EXPECT_EQ(printed.error().message(), "disk full");
}

TEST(Display, ControlCharactersAreShownNotObeyed) {
  EXPECT_EQ(printable("a\nb\tc\r\x1b[31m\x7f"), "a\\nb\\tc\\r\\x1b[31m\\x7f");
  EXPECT_EQ(printable("é\u009b日"), "é\\u009b日");
  EXPECT_EQ(printable("\xff é"), "\\xff \\xc3\\xa9");
}

TEST(Display, CutsBetweenCharacters) {
  use_unicode_widths();
  EXPECT_EQ(cut_to_width("日本語", 6), "日本語");
  EXPECT_EQ(cut_to_width("日本語", 5), "日本…");
  EXPECT_EQ(cut_to_width("日本語", 4), "日…");
  EXPECT_EQ(cut_to_width("abc", 0), "");
}

}  // namespace
}  // namespace millrace::cli
