#include "sql/csv_split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/json_field.h"
#include "sql/json_split.h"

namespace millrace::sql {
namespace {

using schema::Kind;
using testing::ElementsAre;
using testing::HasSubstr;

schema::Columns columns() {
  return {{"id", {.kind = Kind::kBigInt}},
          {"name", {.kind = Kind::kVarchar}},
          {"text", {.kind = Kind::kVarchar}, false},
          {"price", {.kind = Kind::kDecimal, .precision = 38, .scale = 2}},
          {"open", {.kind = Kind::kBoolean}},
          {"day", {.kind = Kind::kDate}}};
}

// Each row, and "problem: raw" for bad ones; the error as the only one.
std::vector<std::string> split(const std::string& text) {
  CsvSplitter splitter(columns());
  auto rows = splitter.split(text);
  if (!rows) return {"error: " + rows.error().message()};
  std::vector<std::string> found(rows->texts.begin(), rows->texts.end());
  for (const auto& bad : rows->bad) found[bad.row] = bad.problem + ": " + found[bad.row];
  return found;
}

TEST(CsvSplit, RowsBecomeObjectsByTheSchemasTypes) {
  EXPECT_THAT(split("id,name,price,open,day,other\n"
                    "1,Ann,1.50,TRUE,2026-01-01,x\n"
                    "01,007,cheap,yes,,\n"),
              ElementsAre(R"({"id":1,"name":"Ann","price":1.50,"open":true,"day":"2026-01-01",)"
                          R"("other":"x"})",
                          R"({"id":"01","name":"007","price":"cheap","open":"yes"})"));
  EXPECT_THAT(split("name,text,id\n,,\n\"\",\"\",\"\"\n"),
              ElementsAre(R"({"text":""})", R"({"name":"","text":""})"));
}

TEST(CsvSplit, QuotesSayNothingAboutATypeButOfAnEmptyText) {
  EXPECT_THAT(split("\"id\",\"name\",\"price\",\"open\",\"day\"\n"
                    "\"1\",\"007\",\"1.50\",\"False\",\"2026-01-01\"\n"
                    "\"2\",\"\",\"\",\"\",\"\"\n"),
              ElementsAre(R"({"id":1,"name":"007","price":1.50,"open":false,"day":"2026-01-01"})",
                          R"({"id":2,"name":""})"));
}

TEST(CsvSplit, QuotesAndLineEnds) {
  EXPECT_THAT(split("\xef\xbb\xbfid,\"name\"\r\n1,\"a \"\"b\"\",\r\nc\"\r\n\r\n2,d"),
              ElementsAre(R"({"id":1,"name":"a \"b\",\r\nc"})", R"({"id":2,"name":"d"})"));
  EXPECT_THAT(split("id;name\n1;a,b\n"), ElementsAre(R"({"id":1,"name":"a,b"})"));
  EXPECT_THAT(split("id\tname\n1\ta;b\n"), ElementsAre(R"({"id":1,"name":"a;b"})"));
  EXPECT_THAT(split("id,name\n"), ElementsAre());
  EXPECT_THAT(split(""), ElementsAre());
}

TEST(CsvSplit, ABadRowIsItsOwn) {
  EXPECT_THAT(split("id,name\n1\n2,a,b\n3,a\"b\n4,\"a\"b\n5,\"a\n6,\xff\n7,ok\n"),
              ElementsAre("the row has 1 fields instead of 2: 1",
                          "the row has 3 fields instead of 2: 2,a,b",
                          "the row has a quote in the middle of a field: 3,a\"b",
                          "the row has text behind a closing quote: 4,\"a\"b",
                          "the row has a quoted field without an end: 5,\"a",
                          "the row has text that is not UTF-8: 6,\xff", R"({"id":7,"name":"ok"})"));
}

TEST(CsvSplit, ManyFieldsWithoutAnEndTakeNoLongerThanTheyMust) {
  std::string text = "id,name\n";
  for (int i = 0; i < 20'000; ++i) text += fmt::format("{},\"a \"\" b\n", i);
  EXPECT_EQ(split(text).size(), 20'000u);
}

TEST(CsvSplit, TheFirstRowNamesColumns) {
  EXPECT_THAT(split("1,Ann\n2,Ben\n")[0], HasSubstr("none of these is in the schema: 1,Ann"));
  EXPECT_THAT(split("id,id\n")[0], HasSubstr("names column 'id' twice"));
  EXPECT_THAT(split("id,\"name\n")[0], HasSubstr("the first row"));
}

TEST(SplitLines, AreItemsWithoutTheirSpaces) {
  std::vector<std::string_view> lines;
  split_lines("\xef\xbb\xbf{\"a\":1}\r\n\n \t\r\n  [\n7", lines);
  EXPECT_THAT(lines, ElementsAre("{\"a\":1}", "[", "7"));
  split_lines("", lines);
  EXPECT_THAT(lines, ElementsAre());
}

TEST(FieldReader, ReadsStringsAndNumbers) {
  FieldReader reader;
  auto read = [&](std::string json, std::vector<std::string> path) {
    auto size = json.size();
    json.append(kJsonPadding, ' ');
    auto found = reader.read(std::string_view(json).substr(0, size), path);
    if (!found) return std::string("error");
    return *found ? (*found)->text : "-";
  };
  EXPECT_EQ(read(R"({"a":{"b":"x\u0041"}})", {"a", "b"}), "xA");
  EXPECT_EQ(read(R"({"a":1.50 })", {"a"}), "1.50");
  EXPECT_EQ(read(R"("x")", {}), "-");
  for (const char* json :
       {R"({"a":null})", R"({"a":true})", R"({"a":{}})", R"({"b":1})", "[1]", "7"})
    EXPECT_EQ(read(json, {"a"}), "-") << json;
  for (const char* json : {"{", R"({"a":"\q"})", "\xff", ""})
    EXPECT_EQ(read(json, {"a"}), "error") << json;
}

}  // namespace
}  // namespace millrace::sql
