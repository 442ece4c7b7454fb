#include "spec/number_text.h"

#include <gtest/gtest.h>

#include <random>
#include <regex>
#include <string>

namespace millrace::spec {
namespace {

// Held against the grammars as regular expressions, on short texts of what they speak of.
TEST(NumberText, IsWhatTheGrammarsSay) {
  const std::regex json("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
  const std::regex yaml(
      "0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?|"
      "[-+]?\\.(inf|Inf|INF)|\\.(nan|NaN|NAN)");
  const std::regex whole("[-+]?[0-9]+");
  const std::string parts[] = {"0",  "1", "9", "8", "+", "-",    ".",    "e",    "E",   "0x",
                               "0o", "a", "F", "g", " ", ".inf", ".Inf", ".nan", ".NaN"};
  std::mt19937_64 random(1);
  size_t numbers = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text;
    for (uint64_t left = random() % 7; left > 0; --left) text += parts[random() % std::size(parts)];
    SCOPED_TRACE(text);
    bool is_number = std::regex_match(text, yaml);
    numbers += is_number ? 1 : 0;
    ASSERT_EQ(is_json_number(text), std::regex_match(text, json));
    ASSERT_EQ(is_yaml_number(text), is_number);
    ASSERT_EQ(is_whole_number(text), std::regex_match(text, whole));
  }
  EXPECT_GT(numbers, 10'000u);
}

TEST(NumberText, TakesTextsOfAnyLength) {
  const std::string digits(1'000'000, '7');
  EXPECT_TRUE(is_json_number(digits));
  EXPECT_FALSE(is_json_number(digits + "x"));
  EXPECT_TRUE(is_yaml_number("0x" + digits));
  EXPECT_TRUE(is_whole_number("-" + digits));
}

}  // namespace
}  // namespace millrace::spec
