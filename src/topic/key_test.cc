#include "topic/key.h"

#include <gtest/gtest.h>

#include "sql/sql.h"
#include "sql/test_rows.h"

namespace millrace::topic {
namespace {

using schema::Kind;

const schema::Columns kColumns = {
    {"text", {}},
    {"tiny", {.kind = Kind::kTinyInt}},
    {"big", {.kind = Kind::kBigInt}},
    {"huge", {.kind = Kind::kHugeInt}},
    {"yes", {.kind = Kind::kBoolean}},
    {"real", {.kind = Kind::kDouble}},
    {"price", {.kind = Kind::kDecimal, .precision = 10, .scale = 2}},
    {"uuid", {.kind = Kind::kUuid}},
    {"date", {.kind = Kind::kDate}},
    {"time", {.kind = Kind::kTime}},
    {"at", {.kind = Kind::kTimestamp}},
    {"bytes", {.kind = Kind::kBlob}},
};

constexpr std::string_view kRow =
    R"({"text":"Zoë \"x\"\n","tiny":-7,"big":9223372036854775807,)"
    R"("huge":170141183460469231731687303715884105727,"yes":true,"real":-0.1,"price":-12.50,)"
    R"("uuid":"3f0e6a51-4d0b-4c9c-9a44-0a3a8f0d6c11","date":"2024-02-29","time":"23:59:59.500",)"
    R"("at":"2024-02-29T12:00:00Z","bytes":"AP8="})";

// The key of one JSON record; "none" where it has none.
std::string key_of(std::string_view json, const std::vector<std::string>& key) {
  sql::Chunk chunk(kColumns);
  sql::JsonDecoder decoder(kColumns);
  const std::string text(json);
  const sql::PaddedTexts padded(std::span(&text, 1));
  decoder.begin(chunk.begin());
  EXPECT_TRUE(decoder.decode(*padded.views()[0], 0)) << decoder.error();
  std::string bytes;
  bool has_key = KeyWriter(kColumns, key).append(chunk.finish(1), 0, bytes);
  return has_key ? bytes : "none";
}

// What a key is read as, as a JSON object; or the error.
std::string read(std::string_view bytes, const std::vector<std::string>& key) {
  KeyReader reader(kColumns, key);
  sql::Chunk chunk(reader.columns());
  if (!reader.read(bytes, chunk.begin())) return reader.error();
  std::string json;
  sql::JsonWriter(reader.columns()).append(chunk.finish(1), 0, json);
  return json;
}

TEST(Key, OfOneColumnIsItsText) {
  EXPECT_EQ(key_of(kRow, {"text"}), "Zoë \"x\"\n");
  EXPECT_EQ(key_of(kRow, {"big"}), "9223372036854775807");
  EXPECT_EQ(key_of(kRow, {"yes"}), "true");
  EXPECT_EQ(key_of(kRow, {"price"}), "-12.50");
  EXPECT_EQ(key_of(kRow, {"uuid"}), "3f0e6a51-4d0b-4c9c-9a44-0a3a8f0d6c11");
  EXPECT_EQ(key_of(kRow, {"date"}), "2024-02-29");
  EXPECT_EQ(key_of(kRow, {"at"}), "2024-02-29T12:00:00Z");
}

TEST(Key, OfSeveralColumnsIsAJsonArrayInTheKeysOrder) {
  EXPECT_EQ(key_of(kRow, {"price", "text", "tiny"}), R"([-12.50,"Zoë \"x\"\n",-7])");
}

TEST(Key, ANullInItMeansNoKey) {
  EXPECT_EQ(key_of(R"({"text":null})", {"text"}), "none");
  EXPECT_EQ(key_of(R"({"text":"a","big":null})", {"text", "big"}), "none");
  EXPECT_EQ(key_of(kRow, {}), "none");
}

TEST(Key, IsReadBackToTheSameValues) {
  std::vector<std::string> all;
  for (const auto& column : kColumns) {
    std::string bytes = key_of(kRow, {column.name});
    std::string json = read(bytes, {column.name});
    EXPECT_NE(kRow.find(json.substr(1, json.size() - 2)), kRow.npos) << json;
    all.push_back(column.name);
  }
  EXPECT_EQ(read(key_of(kRow, all), all), kRow);
  EXPECT_EQ(read("NaN", {"real"}), R"({"real":"NaN"})");
  EXPECT_EQ(read("", {"text"}), R"({"text":""})");
}

TEST(Key, OtherBytesAreAnError) {
  for (const char* bytes : {"", "x", "1,\"tiny\":2", "1}", "[1]", "1.5", "99999999999999999999",
                            "null", " 1", "1 ", "--1", "NaN"})
    EXPECT_TRUE(read(bytes, {"big"}).starts_with("key '")) << bytes << " " << read(bytes, {"big"});
  for (const char* bytes : {"", "a", "{}", "[]", "[\"a\"]", "[\"a\",1,2]", "[\"a\",1]]", "[1,1]",
                            "[\"a\",null]", "[\"a\" 1]", "[\"a\",1", "[\"a\",1] 2"})
    EXPECT_TRUE(read(bytes, {"text", "big"}).starts_with("key '"))
        << bytes << " " << read(bytes, {"text", "big"});
  EXPECT_TRUE(read("\xff", {"text"}).starts_with("key '"));
  EXPECT_TRUE(read("2024-02-30", {"date"}).starts_with("key '"));
}

}  // namespace
}  // namespace millrace::topic
