#include <gmock/gmock.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/limits.h"
#include "schema/schema.h"

namespace millrace::schema {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(std::string(MILLRACE_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file) << path;
  return (std::stringstream() << file.rdbuf()).str();
}

std::string show(const Field& field);

std::string show(const Columns& columns) {
  std::string text;
  for (const auto& column : columns) text += (text.empty() ? "" : ", ") + show(column);
  return text;
}

// "zip VARCHAR {string integer} null required": all that a Field says, types of fields included.
std::string show(const Field& field) {
  const auto& type = field.type;
  std::string text = field.name + " ";
  if (type.kind == Kind::kStruct)
    text += "STRUCT(" + show(type.children) + ")";
  else if (type.kind == Kind::kList)
    text += "LIST(" + show(type.children) + ")";
  else if (type.kind == Kind::kMap)
    text += "MAP(" + show(type.children) + ")";
  else
    text += to_sql(type);
  if (type.kind == Kind::kVarchar && type.json_values != kJsonString) {
    constexpr std::array kNames = {"string", "integer", "number", "boolean", "object", "array"};
    std::string values;
    for (size_t bit = 0; bit < kNames.size(); ++bit)
      if ((type.json_values >> bit & 1) != 0)
        values += std::string(values.empty() ? "" : " ") + kNames[bit];
    text += " {" + values + "}";
  }
  return text + (field.nullable ? " null" : "") + (field.required ? " required" : "");
}

// Add cases to testdata/json_schema_cases.json.
TEST(JsonSchema, Cases) {
  auto cases =
      nlohmann::ordered_json::parse(read_file("src/schema/testdata/json_schema_cases.json"));
  for (const auto& one : cases) {
    SCOPED_TRACE(one["name"].get<std::string>());
    auto columns = columns_from_json_schema(one["schema"].dump());
    if (one.contains("error")) {
      ASSERT_FALSE(columns) << show(*columns);
      EXPECT_EQ(columns.error().message(), one["error"].get<std::string>());
      continue;
    }
    ASSERT_TRUE(columns) << columns.error().message();
    std::vector<std::string> shown;
    for (const auto& column : *columns) shown.push_back(show(column));
    EXPECT_EQ(shown, one["columns"].get<std::vector<std::string>>());
  }
}

TEST(JsonSchema, SyntaxErrorsNameLineAndColumn) {
  auto columns = columns_from_json_schema("{\n  \"properties\": {\n    oops\n  }\n}");
  ASSERT_FALSE(columns);
  EXPECT_THAT(columns.error().message(), testing::StartsWith("not JSON: line 3, column 5: "));
  EXPECT_FALSE(columns_from_json_schema(""));
}

TEST(JsonSchema, RecursionAndUnsupportedAreToldFromInvalid) {
  EXPECT_EQ(columns_from_json_schema(R"({"properties": {"a": {"$ref": "#"}}})").error().code(),
            ErrorCode::kUnsupported);
  EXPECT_EQ(columns_from_json_schema(R"({"properties": {"a": {"type": "x"}}})").error().code(),
            ErrorCode::kInvalid);
}

TEST(JsonSchema, DepthHasALimit) {
  auto nested = [](size_t levels) {
    std::string text;
    for (size_t i = 0; i < levels; ++i) text += R"({"properties": {"a": )";
    text += R"({"type": "string"})";
    for (size_t i = 0; i < levels; ++i) text += "}}";
    return columns_from_json_schema(text);
  };
  EXPECT_TRUE(nested(limits::kJsonDepthMax));
  auto error = nested(limits::kJsonDepthMax + 1);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code(), ErrorCode::kLimit);
  EXPECT_FALSE(nested(100'000));
}

// Each definition names the next twice: 2^40 fields from 3 KB.
TEST(JsonSchema, ReferencesCannotMultiplyWithoutLimit) {
  nlohmann::ordered_json document;
  for (int i = 0; i < 40; ++i) {
    nlohmann::ordered_json next = {{"$ref", fmt::format("#/$defs/d{}", i + 1)}};
    document["$defs"][fmt::format("d{}", i)]["properties"] = {{"a", next}, {"b", next}};
  }
  document["$defs"]["d40"] = {{"type", "string"}};
  document["properties"]["a"]["$ref"] = "#/$defs/d20";
  auto columns = columns_from_json_schema(document.dump());
  ASSERT_FALSE(columns);
  EXPECT_EQ(columns.error().code(), ErrorCode::kLimit);
}

TEST(JsonSchema, ColumnsSurviveTheCatalog) {
  auto columns = columns_from_json_schema(read_file("examples/users/randomuser.schema.json"));
  ASSERT_TRUE(columns) << columns.error().message();
  auto again = columns_from_json(to_json(*columns));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(*again, *columns);
}

TEST(JsonSchema, TheExampleOfUsers) {
  auto columns = columns_from_json_schema(read_file("examples/users/randomuser.schema.json"));
  ASSERT_TRUE(columns) << columns.error().message();
  EXPECT_THAT(
      show(*columns),
      testing::AllOf(
          testing::StartsWith("gender VARCHAR required, name STRUCT(title VARCHAR required, "),
          testing::HasSubstr("postcode VARCHAR {string integer} required"),
          testing::HasSubstr("login STRUCT(uuid UUID required"),
          testing::HasSubstr("dob STRUCT(date VARCHAR required, age BIGINT required) required"),
          testing::HasSubstr("id STRUCT(name VARCHAR null required, value VARCHAR null required)"),
          testing::EndsWith("nat VARCHAR required")));
}

}  // namespace
}  // namespace millrace::schema
