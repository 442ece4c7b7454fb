#include "schema/avro.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace millrace::schema {
namespace {

std::string error_of(std::string_view json) {
  auto parsed = parse_avro_schema(json);
  return parsed ? "none" : parsed.error().message();
}

TEST(AvroSchemaTest, IsMadeOfColumnsWithNamesThatAvroTakes) {
  const Columns columns = {
      {"id", {.kind = Kind::kUuid}},
      {"first-name", {}},
      {"first name", {}},
      {"1st", {.kind = Kind::kDecimal, .precision = 9, .scale = 2}},
      {"place", {.kind = Kind::kStruct, .children = {{"at", {.kind = Kind::kTimestamp}}}}}};
  auto text = to_avro_schema(columns, "my.topic-1");
  ASSERT_TRUE(text) << text.error().message();
  auto json = nlohmann::json::parse(*text);
  EXPECT_EQ(json["name"], "my_topic_1");
  EXPECT_EQ(
      json["fields"][0].dump(),
      R"({"default":null,"name":"id","type":["null",{"logicalType":"uuid","type":"string"}]})");
  EXPECT_EQ(json["fields"][1]["name"], "first_name");
  EXPECT_EQ(json["fields"][2]["name"], "first_name_2");
  EXPECT_EQ(json["fields"][2][std::string(kAvroColumn)], "first name");
  EXPECT_EQ(json["fields"][3]["name"], "_1st");
  EXPECT_EQ(json["fields"][4]["type"][1]["name"], "my_topic_1_place");

  auto parsed = parse_avro_schema(*text);
  ASSERT_TRUE(parsed) << parsed.error().message();
  const auto& record = parsed->types[0];
  EXPECT_EQ(record.names,
            (std::vector<std::string>{"id", "first-name", "first name", "1st", "place"}));
  const auto& decimal = parsed->types[parsed->types[record.children[3]].children[1]];
  EXPECT_EQ(decimal.logical, AvroLogical::kDecimal);
  EXPECT_EQ(decimal.scale, 2);
}

TEST(AvroSchemaTest, AMapWithOtherKeysThanTextIsRefused) {
  auto made = to_avro_schema(
      {{"m", {.kind = Kind::kMap, .children = {{"key", {.kind = Kind::kInteger}}, {"value", {}}}}}},
      "t");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message(),
            "column m: MAP(INTEGER, VARCHAR): Avro's maps have text as keys; cast them");
}

TEST(AvroSchemaTest, NamesMayBeQualifiedAndUsedAgain) {
  auto parsed = parse_avro_schema(R"({"type": "record", "name": "a.b.List", "fields": [
    {"name": "value", "type": {"type": "enum", "name": "E", "symbols": ["x", "y"]}},
    {"name": "same", "type": "a.b.E"}, {"name": "also", "type": "E"},
    {"name": "next", "type": ["null", "List"]},
    {"name": "f", "type": {"type": "fixed", "name": "F", "size": 3, "namespace": "c"}},
    {"name": "g", "type": "c.F"}]})");
  ASSERT_TRUE(parsed) << parsed.error().message();
  const auto& fields = parsed->types[0].children;
  EXPECT_EQ(fields[1], fields[0]);
  EXPECT_EQ(fields[2], fields[0]);
  EXPECT_EQ(parsed->types[fields[3]].children[1], 0u);
  EXPECT_EQ(parsed->types[fields[5]].size, 3u);
}

TEST(AvroSchemaTest, WhatIsNoSchemaIsRefusedWithThePlace) {
  EXPECT_EQ(error_of("{"), "an Avro schema that is no JSON");
  EXPECT_EQ(error_of("3"), "the schema is no type");
  EXPECT_EQ(error_of("\"text\""), "the schema is of type 'text', which is not known");
  EXPECT_EQ(error_of(R"({"type":"record","name":"r"})"), "the schema has no list of fields");
  EXPECT_EQ(error_of(R"({"type":"record","name":"r","fields":[{"name":"a","type":"b"}]})"),
            "field 'a' is of type 'b', which is not known");
  EXPECT_EQ(error_of(R"({"type":"array"})"), "the schema does not say what it has inside");
  EXPECT_EQ(error_of("[]"), "the schema is a union of nothing");
  EXPECT_EQ(error_of(R"({"type":"fixed","name":"f","size":-1})"),
            "the schema has no size that is a number of bytes");
  EXPECT_EQ(error_of(std::string(200, '[') + "\"int\"" + std::string(200, ']')),
            "the schema is nested too deep");
}

}  // namespace
}  // namespace millrace::schema
