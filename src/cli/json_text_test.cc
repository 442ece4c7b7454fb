#include "cli/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/client.h"

namespace millrace::cli {
namespace {

TEST(JsonSlicer, GivesPartsByteForByte) {
  Answer answer(
      R"({"rows": [[1.50, null ,"a\"]",{"x": [1]}] , []], "n": 12345678901234567890.5 })");
  JsonSlicer slicer;
  EXPECT_EQ(*slicer.member(answer.json(), "n"), "12345678901234567890.5");
  EXPECT_EQ(*slicer.member(answer.json(), "none"), "null");
  auto rows = *slicer.elements(answer.json(), "rows");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_THAT(*slicer.elements(rows[0]),
              testing::ElementsAre("1.50", "null", R"("a\"]")", R"({"x": [1]})"));
  EXPECT_TRUE(slicer.elements(rows[1])->empty());
}

TEST(JsonSlicer, TellsOfWhatIsNoSuchJson) {
  JsonSlicer slicer;
  for (const auto* text : {"", "x", "[1", "{\"a\"", "3"}) {
    Answer answer(text);
    EXPECT_FALSE(slicer.elements(answer.json())) << text;
    EXPECT_FALSE(slicer.member(answer.json(), "a")) << text;
  }
}

TEST(JsonText, ContentIsThatOfStrings) {
  EXPECT_EQ(content_of(R"("plain")"), "plain");
  EXPECT_EQ(content_of(R"("a\n\u00e9\"")"), "a\né\"");
  EXPECT_EQ(content_of("12.50"), "12.50");
  EXPECT_EQ(content_of(R"({"a":"b"})"), R"({"a":"b"})");
}

TEST(JsonText, IndentedChangesNothingButSpace) {
  EXPECT_EQ(indented(R"({"a":1.50,"b":[],"c":{ },"d":["x, {y}\"",{"e":null}]})"),
            "{\n"
            "  \"a\": 1.50,\n"
            "  \"b\": [],\n"
            "  \"c\": {},\n"
            "  \"d\": [\n"
            "    \"x, {y}\\\"\",\n"
            "    {\n"
            "      \"e\": null\n"
            "    }\n"
            "  ]\n"
            "}");
}

}  // namespace
}  // namespace millrace::cli
