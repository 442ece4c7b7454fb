#include "infer/infer.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <random>

#include "infer/draft_columns.h"
#include "schema/json_schema.h"
#include "sql/csv_split.h"
#include "sql/engine.h"
#include "sql/json_split.h"
#include "sql/transform.h"

namespace millrace::infer {
namespace {

using Json = nlohmann::ordered_json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kSource = MILLRACE_SOURCE_DIR;

Sample sample(std::string text, Sample::Format format = Sample::Format::kJson) {
  Sample sample{.from = "test", .body = std::move(text), .format = format, .links = {}};
  sample.size = sample.body.size();
  sample.body.append(sql::kJsonPadding, '\0');
  return sample;
}

Findings look(const std::string& text, Sample::Format format = Sample::Format::kJson) {
  std::vector<Sample> samples = {sample(text, format)};
  auto findings = look_at(samples, std::nullopt);
  EXPECT_TRUE(findings) << findings.error().message();
  return findings ? *std::move(findings) : Findings{};
}

// The schema of the field `a` of items that have these values there.
std::string schema_of_values(const std::string& values) {
  auto list = Json::parse(values);
  std::string text;
  size_t begin = 1;
  // Values are cut out by hand, so that every digit stays.
  for (size_t i = 1, depth = 0; i < values.size(); ++i) {
    if (values[i] == '[' || values[i] == '{') ++depth;
    bool ends = depth == 0 && (values[i] == ',' || i + 1 == values.size());
    if (values[i] == ']' || values[i] == '}') depth -= depth > 0 ? 1 : 0;
    if (!ends) continue;
    text += fmt::format("{}{{\"n\":{},\"a\":{}}}", text.empty() ? "" : ",", i,
                        values.substr(begin, i - begin));
    begin = i + 1;
  }
  return look("[" + text + "]").schema["properties"]["a"].dump();
}

class Counting : public sql::TransformOutput {
 public:
  Result<void> rows(const sql::Rows&, std::span<const int32_t>, std::span<const uint8_t>) override {
    return {};
  }
};

// What of the items does not decode under their schema.
std::vector<std::string> failures_of(const std::string& response, const Findings& findings) {
  std::vector<std::string> errors;
  auto columns = schema::columns_from_json_schema(findings.schema.dump());
  if (!columns) return {columns.error().message()};
  auto engine = sql::Engine::open({});
  auto transform = sql::Transform::prepare(
      **engine,
      {.input = "items", .columns = *columns, .select = "SELECT * FROM items", .expectations = {}});
  if (!transform) return {transform.error().message};
  auto padded = sample(response);
  sql::ItemSplitter splitter;
  auto items = splitter.split(padded.text(), findings.layout.path);
  if (!items) return {items.error().message()};
  std::vector<std::optional<std::string_view>> records(items->begin(), items->end());
  Counting counting;
  std::vector<sql::Failure> failures;
  EXPECT_TRUE(transform->run(records, counting, failures));
  for (const auto& failure : failures)
    errors.push_back(failure.error + " in " + std::string(*records[failure.record]));
  return errors;
}

TEST(Infer, TypesAreThoseThatAllValuesHave) {
  EXPECT_EQ(schema_of_values("[1, -2]"), R"({"type":"integer"})");
  EXPECT_EQ(schema_of_values("[1, 2.5]"), R"({"type":"number"})");
  EXPECT_EQ(schema_of_values("[1, null]"), R"({"type":["integer","null"]})");
  EXPECT_EQ(schema_of_values("[76100, \"4010 XJ\"]"), R"({"type":["integer","string"]})");
  EXPECT_EQ(schema_of_values("[true, false]"), R"({"type":"boolean"})");
  EXPECT_EQ(schema_of_values("[null, null]"), "{}");
  EXPECT_EQ(schema_of_values("[[], []]"), R"({"type":"array"})");
  EXPECT_EQ(schema_of_values("[[1], []]"), R"({"type":"array","items":{"type":"integer"}})");
  EXPECT_EQ(schema_of_values("[{}, {}]"), R"({"type":"object"})");
  EXPECT_EQ(schema_of_values("[9223372036854775807]"), R"({"type":"integer"})");
  EXPECT_EQ(schema_of_values("[9223372036854775808]"), R"({"type":"integer","format":"int128"})");
  EXPECT_EQ(schema_of_values("[1e1, 1e308]"), R"({"type":"number"})");
}

TEST(Infer, FormatsAreThoseThatAllTextsHave) {
  auto format = [](const std::string& values) {
    return Json::parse(schema_of_values(values)).value("format", "");
  };
  EXPECT_EQ(format(R"(["3F0e8a52-6d34-4b0e-9c61-0a6b1f4c2d11"])"), "uuid");
  EXPECT_EQ(format(R"(["2026-11-21", "1969-12-31"])"), "date");
  EXPECT_EQ(format(R"(["2026-11-21T05:00:00Z", "2026-11-21 05:00:00.123"])"), "date-time");
  EXPECT_EQ(format(R"(["2026-11-21", "2026-11-21T05:00:00+02:00"])"), "date-time");
  EXPECT_EQ(format(R"(["05:00:00"])"), "time");
  EXPECT_EQ(format(R"(["a@b.example"])"), "email");
  EXPECT_EQ(format(R"(["https://a.example/"])"), "uri");
  EXPECT_EQ(format(R"(["2026-11-21", ""])"), "");
  EXPECT_EQ(format(R"(["2026-02-30"])"), "");
  EXPECT_EQ(format(R"(["2026-11-21T05:00:00.1234567Z"])"), "");
}

TEST(Infer, FieldsInEveryItemAreRequired) {
  auto findings = look(R"([{"a": 1, "b": {"c": 1}}, {"a": 2, "b": {"c": 2, "d": 3}}, {"a": 3}])");
  EXPECT_EQ(findings.schema["required"], Json({"a"}));
  EXPECT_EQ(findings.schema["properties"]["b"]["required"], Json({"c"}));
  // A key that stands twice in an object does not stand in another for that.
  findings = look(R"([{"a": 1, "a": 2}, {}])");
  EXPECT_FALSE(findings.schema.contains("required"));
}

TEST(Infer, KeysThatAreDataMakeAMap) {
  auto findings = look(R"([{"id": 1, "days": {"2026-01-01": 1, "2026-01-02": 2.5}}])");
  EXPECT_EQ(findings.schema["properties"]["days"].dump(),
            R"({"type":"object","additionalProperties":{"type":"number"}})");
  std::string many;
  for (int i = 0; i < 40; ++i)
    many += fmt::format("{}{{\"id\": {}, \"by_user\": {{\"u{}\": {{\"x\": {}}}}}}}",
                        i > 0 ? "," : "", i, i, i);
  findings = look("[" + many + "]");
  EXPECT_TRUE(findings.schema["properties"]["by_user"].contains("additionalProperties"));
}

TEST(Infer, ItemsAreFoundAndTheChoiceExplained) {
  EXPECT_THAT(look(R"([{"a": 1}])").layout.path, ElementsAre());
  EXPECT_THAT(look(R"({"results": [{"a": 1}], "info": {}})").layout.path, ElementsAre("results"));
  auto findings = look(R"({"errors": [{"x": 1}, {"x": 2}], "data": {"users": [{"a": 1}]}})");
  EXPECT_THAT(findings.layout.path, ElementsAre("data", "users"));
  findings = look(R"({"id": 7, "tags": ["a", "b"]})");
  EXPECT_THAT(findings.layout.path, ElementsAre());
  EXPECT_EQ(findings.items, 1u);
  EXPECT_THAT(findings.layout.why, HasSubstr("one item"));
  EXPECT_THAT(look("{\"a\": 1}\n\n{\"a\": 2}\n", Sample::Format::kJsonLines).items, 2u);
  EXPECT_FALSE(look_at(std::vector{sample("<html>")}, std::nullopt));
  EXPECT_FALSE(look_at(std::vector{sample("[1, 2]")}, std::nullopt));
  EXPECT_FALSE(look_at(std::vector{sample("{\"results\": []}")}, {{"results"}}));
}

TEST(Infer, WhatLeadsToMorePagesIsTold) {
  EXPECT_THAT(look(R"({"data": [{"a": 1}], "links": {"next": "https://a/?p=2"}})").layout.paging,
              HasSubstr("{by: cursor, from: links.next}"));
  EXPECT_THAT(look(R"({"data": [{"a": 1}], "next_cursor": "abc"})").layout.paging,
              HasSubstr("parameter: NAME"));
  EXPECT_EQ(look(R"({"data": [{"next": "abc"}]})").layout.paging, "");
  std::vector<Sample> samples = {sample("[{}]")};
  samples[0].links = {"<https://a/?p=2>; rel=\"next\""};
  EXPECT_THAT(look_at(samples, std::nullopt)->layout.paging, HasSubstr("{by: link}"));
}

TEST(Infer, CsvHasNumbersWhereAColumnHasNothingElse) {
  auto findings =
      look("id,zip,name\r\n1,01234,\"a, \"\"b\"\"\"\r\n2,99999,\r\n", Sample::Format::kCsv);
  const auto& fields = findings.schema["properties"];
  EXPECT_EQ(fields["id"]["type"], "integer");
  EXPECT_EQ(fields["zip"]["type"], "string");
  EXPECT_EQ(findings.schema["required"], Json({"id", "zip"}));
  EXPECT_EQ(Json::parse(findings.item)["name"], "a, \"b\"");
}

TEST(Infer, CsvIsReadAsASourceReadsIt) {
  auto text =
      "\"id\",\"zip\",\"day\",\"open\"\n\"1\",\"01\",\"2026-01-01\",\"true\"\n"
      "\"2\",\"\",\"\",\"\"\n3,1\n";
  auto findings = look(text, Sample::Format::kCsv);
  EXPECT_EQ(findings.items, 2u);
  EXPECT_THAT(findings.notes, Contains(HasSubstr("the row has 2 fields instead of 4")));
  EXPECT_EQ(findings.schema["properties"], Json({{"id", {{"type", "integer"}}},
                                                 {"zip", {{"type", "string"}}},
                                                 {"day", {{"type", "string"}, {"format", "date"}}},
                                                 {"open", {{"type", "boolean"}}}}));
  sql::CsvSplitter splitter(*schema::columns_from_json_schema(findings.schema.dump()));
  auto rows = splitter.split(text);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->texts[0], R"({"id":1,"zip":"01","day":"2026-01-01","open":true})");
  EXPECT_EQ(rows->texts[1], R"({"id":2,"zip":""})");
}

TEST(Infer, TheKeyIsDifferentInEveryItemAndLooksLikeOne) {
  auto findings = look(R"([
      {"age": 1, "login": {"uuid": "3f0e8a52-6d34-4b0e-9c61-0a6b1f4c2d11"}},
      {"age": 2, "login": {"uuid": "3f0e8a52-6d34-4b0e-9c61-0a6b1f4c2d12"}}])");
  ASSERT_TRUE(findings.key);
  EXPECT_THAT(findings.key->path, ElementsAre("login", "uuid"));
  EXPECT_EQ(findings.key->why, "a uuid, different in all 2 items");
  EXPECT_TRUE(findings.key->is_sure);

  findings = look(R"([{"id": 1, "x": 1}, {"id": 1, "x": 2}])");
  EXPECT_THAT(findings.key->path, ElementsAre("x"));
  EXPECT_FALSE(findings.key->is_sure);
  EXPECT_THAT(findings.notes, Contains(HasSubstr("id: looks like a key, but")));
  EXPECT_FALSE(look(R"([{"id": 1, "x": 1}, {"id": null, "x": 1}])").key);
}

TEST(Infer, ColumnsHaveNamesThatTablesCanHave) {
  auto findings = look(R"([{"id": {"value": 1}, "firstName": "a", "HTTPServer": 1, "order": 2,
                            "a b": 3, "9": 4, "név": 5, "x": {"y": {"z": 1}}, "y_z": 2}])");
  std::vector<std::string> names;
  std::vector<std::string> paths;
  for (const auto& column : draft_columns(findings.schema, {"firstName"})) {
    names.push_back(column.alias);
    paths.push_back(sql_path(column.path));
  }
  EXPECT_THAT(names, ElementsAre("id", "id_value", "http_server", "order_", "a_b", "n9", "n_v",
                                 "y_z", "y_z_2"));
  EXPECT_THAT(paths, ElementsAre("\"firstName\"", "id.value", "\"HTTPServer\"", "\"order\"",
                                 "\"a b\"", "\"9\"", "\"név\"", "x.y.z", "y_z"));
}

TEST(Infer, NamesComeFromAddresses) {
  EXPECT_EQ(name_for("sample://randomuser/api/?results=100"), "randomuser");
  EXPECT_EQ(name_for("https://api.example.com/v1/Users?page=2"), "users");
  EXPECT_EQ(name_for("https://api.example.com/"), "example");
  EXPECT_EQ(name_for("some/folder/my-items.json.gz"), "my_items");
  EXPECT_EQ(name_for("http://127.0.0.1:8080/api/"), "first");
  EXPECT_TRUE(is_name("users_2"));
  for (auto name : {"", "Users", "2users", "a-b", "a__b"}) EXPECT_FALSE(is_name(name)) << name;
}

TEST(Infer, TheUsersOfTheRecordingDecode) {
  std::vector<Sample> samples;
  for (const auto& entry : std::filesystem::directory_iterator(kSource + "/test/data/randomuser"))
    samples.push_back(*take_sample(entry.path().string()));
  ASSERT_EQ(samples.size(), 5u);
  auto findings = look_at(samples, std::nullopt);
  ASSERT_TRUE(findings) << findings.error().message();
  EXPECT_THAT(findings->layout.path, ElementsAre("results"));
  EXPECT_THAT(findings->key->path, ElementsAre("login", "uuid"));
  const auto& fields = findings->schema["properties"];
  EXPECT_EQ(fields["location"]["properties"]["postcode"]["type"], Json({"integer", "string"}));
  EXPECT_EQ(fields["dob"]["properties"]["date"]["format"], "date-time");
  EXPECT_EQ(fields["id"]["properties"]["value"]["type"], Json({"string", "null"}));
  for (const auto& one : samples)
    EXPECT_THAT(failures_of(std::string(one.text()), *findings), ElementsAre());
}

// Random JSON, of few names and many kinds, so that kinds meet.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  std::string object(int depth) {
    std::string text;
    for (size_t i = below(5); i > 0; --i) {
      static const char* const kNames[] = {"a", "b", "A", "id", "\\u00e9", "x y", "", "2026-01-01"};
      text += fmt::format("{}\"{}\":{}", text.empty() ? "" : ",", kNames[below(8)], value(depth));
    }
    return "{" + text + "}";
  }
  size_t below(size_t limit) { return engine_() % limit; }

 private:
  std::string value(int depth) {
    static const char* const kScalars[] = {"null",
                                           "true",
                                           "0",
                                           "-7",
                                           "12.50",
                                           "1e3",
                                           "9007199254740993",
                                           "1e400",
                                           "-1e-400",
                                           "170141183460469231731687303715884105728",
                                           "\"\"",
                                           "\"text\"",
                                           "\"2026-11-21\"",
                                           "\"2026-11-21T05:00:00Z\"",
                                           "\"05:00:00\"",
                                           "\"3f0e8a52-6d34-4b0e-9c61-0a6b1f4c2d11\"",
                                           "\"infinity\"",
                                           "\"NaN\"",
                                           "\"\\ud83d\\ude00\"",
                                           "99999999999999999999",
                                           "-0",
                                           "-0.0"};
    switch (below(depth > 3 ? 3 : 5)) {
      case 3:
        return object(depth + 1);
      case 4: {
        std::string text;
        for (size_t i = below(3); i > 0; --i) text += (text.empty() ? "" : ",") + value(depth + 1);
        return "[" + text + "]";
      }
      default:
        return kScalars[below(std::size(kScalars))];
    }
  }

  std::mt19937_64 engine_;
};

TEST(Infer, EveryItemThatWasLookedAtDecodes) {
  uint64_t first = std::random_device()();
  for (uint64_t seed = first; seed < first + 150; ++seed) {
    Random random(seed);
    std::string text;
    for (size_t i = 1 + random.below(6); i > 0; --i)
      text += (text.empty() ? "" : ",") + ("{\"k\":1," + random.object(0).substr(1));
    if (text.ends_with(",}")) text = text.substr(0, text.size() - 2) + "}";
    for (size_t at; (at = text.find("1,}")) != text.npos;) text.replace(at, 3, "1}");
    auto response = "{\"results\":[" + text + "]}";
    auto findings = look(response);
    ASSERT_EQ(failures_of(response, findings), std::vector<std::string>())
        << "seed " << seed << ": " << response << "\n"
        << findings.schema.dump();
  }
}

}  // namespace
}  // namespace millrace::infer
