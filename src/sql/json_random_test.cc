// Random values and documents from a seed, which is printed; MILLRACE_TEST_SEED gives it again.
//
// - What JsonWriter writes, JsonDecoder reads back to the same values.
// - JsonDecoder and nlohmann::json agree on what is JSON and on what is in it.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <random>

#include "base/text.h"
#include "schema/json_schema.h"
#include "sql/test_plain_json.h"
#include "sql/test_rows.h"

namespace millrace::sql {
namespace {

using schema::Field;
using schema::Kind;
using schema::Type;

class Dice {
 public:
  Dice() : seed_(std::random_device()()) {
    if (const char* given = std::getenv("MILLRACE_TEST_SEED")) seed_ = std::stoull(given);
    random_.seed(seed_);
  }
  uint64_t seed() const { return seed_; }
  uint64_t bits() { return random_(); }
  size_t below(size_t end) { return random_() % end; }
  bool one_in(size_t n) { return below(n) == 0; }
  template <class T>
  const T& of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

 private:
  uint64_t seed_;
  std::mt19937_64 random_;
};

std::string random_text(Dice& dice) {
  static const std::vector<std::string> kParts = {
      "a", "Zoë", "\"", "\\", "\n", std::string("\0", 1), "\x1f", "\x7f", "😀", "日本", "/", " "};
  std::string text;
  for (size_t left = dice.one_in(20) ? 300 : dice.below(15); left > 0; --left)
    text += dice.of(kParts);
  return text;
}

std::string random_digits(Dice& dice, size_t most) {
  std::string digits(1, static_cast<char>('1' + dice.below(9)));
  for (size_t left = dice.below(most); left > 0; --left)
    digits += static_cast<char>('0' + dice.below(10));
  return digits;
}

std::string in_quotes(const std::string& text) {
  std::string json_text;
  append_json_string(text, json_text);
  return json_text;
}

// The JSON text of a value of `type`, as JsonWriter writes it.
std::string random_value(Dice& dice, const Type& type);

template <class T, class Bits>
std::string random_floating(Dice& dice) {
  auto value = std::bit_cast<T>(static_cast<Bits>(dice.bits()));
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return "\"-Infinity\"";
  return fmt::format("{}", value);
}

std::string random_nested(Dice& dice, const Type& type) {
  std::string text(1, type.kind == Kind::kList ? '[' : '{');
  size_t count = type.kind == Kind::kStruct ? type.children.size() : dice.below(5);
  if (dice.one_in(200) && type.kind == Kind::kList) count = 3'000;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) text += ',';
    if (type.kind == Kind::kMap) text += in_quotes(fmt::format("{}{}", random_text(dice), i)) + ":";
    if (type.kind == Kind::kStruct) text += in_quotes(type.children[i].name) + ":";
    text += random_value(dice, type.children[type.kind == Kind::kMap      ? 1
                                             : type.kind == Kind::kStruct ? i
                                                                          : 0]
                                   .type);
  }
  return text + (type.kind == Kind::kList ? ']' : '}');
}

std::string random_value(Dice& dice, const Type& type) {
  if (dice.one_in(8)) return "null";
  auto whole = [&](int bits) {
    return fmt::format("{}", static_cast<int64_t>(dice.bits()) >> (64 - bits));
  };
  switch (type.kind) {
    case Kind::kBoolean:
      return dice.one_in(2) ? "true" : "false";
    case Kind::kTinyInt:
      return whole(8);
    case Kind::kSmallInt:
      return whole(16);
    case Kind::kInteger:
      return whole(32);
    case Kind::kBigInt:
      return whole(64);
    case Kind::kHugeInt:
      return (dice.one_in(2) ? "-" : "") + random_digits(dice, 38);
    case Kind::kDecimal:
      return fmt::format("{}{}.{:02}", dice.one_in(2) ? "-" : "", random_digits(dice, 36),
                         dice.below(100));
    case Kind::kFloat:
      return random_floating<float, uint32_t>(dice);
    case Kind::kDouble:
      return random_floating<double, uint64_t>(dice);
    case Kind::kUuid: {
      std::string hex = fmt::format("{:016x}{:016x}", dice.bits(), dice.bits());
      for (size_t at : {20U, 16U, 12U, 8U}) hex.insert(at, "-");
      return in_quotes(hex);
    }
    case Kind::kDate:
      return fmt::format("\"{:04}-{:02}-{:02}\"", 1 + dice.below(9'999), 1 + dice.below(12),
                         1 + dice.below(28));
    case Kind::kTime:
      return fmt::format("\"{:02}:{:02}:{:02}.{:05}1\"", dice.below(24), dice.below(60),
                         dice.below(60), dice.below(100'000));
    case Kind::kTimestamp:
      return fmt::format("\"{:04}-{:02}-{:02}T{:02}:{:02}:59Z\"", 1 + dice.below(9'999),
                         1 + dice.below(12), 1 + dice.below(28), dice.below(24), dice.below(60));
    case Kind::kBlob:
      return dice.of<std::string>({"\"\"", "\"AA==\"", "\"AAECAwQFBgcICQoLDA0ODxAREhM=\""});
    case Kind::kVarchar:
      return in_quotes(random_text(dice));
    case Kind::kList:
    case Kind::kMap:
    case Kind::kStruct:
      return random_nested(dice, type);
  }
  return "null";
}

Type random_type(Dice& dice, int depth) {
  size_t kind = dice.below(depth == 0 ? 15 : 18);
  Type type{.kind = static_cast<Kind>(kind)};
  if (type.kind == Kind::kDecimal) {
    type.precision = 38;
    type.scale = 2;
  }
  if (type.kind == Kind::kList) type.children = {{"element", random_type(dice, depth - 1)}};
  if (type.kind == Kind::kMap)
    type.children = {{"key", {}}, {"value", random_type(dice, depth - 1)}};
  if (type.kind == Kind::kStruct)
    for (size_t i = 0; i <= dice.below(4); ++i)
      type.children.push_back({fmt::format("field {}", i), random_type(dice, depth - 1)});
  return type;
}

struct Decoded {
  std::vector<std::string> rows;
  std::vector<int32_t> records;
  std::vector<Failure> failures;
};

Decoded decode(Engine& engine, const schema::Columns& columns,
               const std::vector<std::string>& texts) {
  auto transform = Transform::prepare(engine, {"input", columns, "SELECT * FROM input", {}});
  if (!transform) {
    ADD_FAILURE() << transform.error().message;
    return {};
  }
  PaddedTexts records(texts, '}');
  JsonRows output(transform->columns());
  Decoded decoded;
  auto counts = transform->run(records.views(), output, decoded.failures);
  EXPECT_TRUE(counts) << counts.error().message();
  decoded.rows = output.json;
  decoded.records = output.records;
  return decoded;
}

TEST(JsonRandom, WhatIsWrittenIsReadBackTheSame) {
  Dice dice;
  SCOPED_TRACE(fmt::format("MILLRACE_TEST_SEED={}", dice.seed()));
  auto engine = Engine::open({});
  for (int round = 0; round < 40 && !testing::Test::HasFailure(); ++round) {
    schema::Columns columns;
    for (size_t i = 0; i < 18; ++i)
      columns.push_back({fmt::format("c{}", i), random_type(dice, 3)});
    Type row{.kind = Kind::kStruct, .children = columns};
    std::vector<std::string> texts;
    while (texts.size() < 50)
      if (auto text = random_nested(dice, row); text != "null") texts.push_back(std::move(text));
    auto first = decode(**engine, columns, texts);
    for (const auto& failure : first.failures)
      ADD_FAILURE() << failure.error << "\n" << texts[failure.record];
    EXPECT_EQ(first.rows, texts);
  }
}

// Any JSON value, written with white space and escapes.
std::string random_json(Dice& dice, int depth) {
  static const std::vector<std::string> kScalars = {
      "0",    "-1",    "12.5",        "1e3",      "-0.5E-3",  "true",     "false", "null",
      "\"\"", "\"x\"", "\"\\u00e9\"", "\"\\\"\"", "\"}{][\"", "\"\\\\\"", "7",     "\",:\""};
  auto space = [&] { return dice.one_in(6) ? dice.of<std::string>({" ", "\n", "\t "}) : ""; };
  if (depth == 0 || dice.one_in(2)) return space() + dice.of(kScalars) + space();
  bool is_object = dice.one_in(2);
  std::string text(1, is_object ? '{' : '[');
  for (size_t i = 0, count = dice.below(4); i < count; ++i) {
    if (i > 0) text += ',';
    if (is_object) text += fmt::format("{}\"k{}\"{}:", space(), i, space());
    text += random_json(dice, depth - 1);
  }
  return space() + text + space() + (is_object ? '}' : ']') + space();
}

// An object whose fields often have the schema's names and types.
std::string random_document(Dice& dice) {
  static const std::vector<std::string> kKeys = {"i", "d", "s",       "b",  "l",
                                                 "o", "u", "\\u0069", "x y"};
  std::string text = "{";
  for (size_t i = 0, count = dice.below(8); i < count; ++i) {
    if (i > 0) text += ',';
    const auto& key = dice.of(kKeys);
    std::string value = random_json(dice, 3);
    if (key == "i") value = dice.of<std::string>({"1", "-7", "null", "9007199254740993"});
    if (key == "s") value = dice.of<std::string>({"\"t\"", "\"\\ud83d\\ude00\"", "null"});
    if (key == "l") value = dice.of<std::string>({"[]", "[1,2]", "null", "[ null , 3 ]"});
    if (key == "o") value = fmt::format("{{\"any\":{},\"s\":\"x\"}}", random_json(dice, 2));
    text += fmt::format("\"{}\":{}", key, value);
  }
  return text + "}";
}

std::string mutated(Dice& dice, std::string text) {
  static const std::vector<std::string> kPieces = {"{", "}", "[", "]", ",", ":", "\"",   "\\",
                                                   "1", "e", ".", "-", " ", "n", "\xff", "\x01"};
  for (size_t left = 1 + dice.below(2); left > 0 && !text.empty(); --left) {
    size_t at = dice.below(text.size());
    switch (dice.below(4)) {
      case 0:
        text.erase(at, 1 + dice.below(3));
        break;
      case 1:
        text.insert(at, dice.of(kPieces));
        break;
      case 2:
        text.replace(at, 1, dice.of(kPieces));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

TEST(JsonRandom, DecodesWhatAPlainDecoderDecodesAndNothingElse) {
  Dice dice;
  SCOPED_TRACE(fmt::format("MILLRACE_TEST_SEED={}", dice.seed()));
  auto columns = schema::columns_from_json_schema(kPlainSchema);
  auto engine = Engine::open({});
  std::vector<std::string> texts;
  for (int i = 0; i < 30'000; ++i) {
    texts.push_back(random_document(dice));
    if (i % 2 == 1) texts.back() = mutated(dice, texts.back());
  }
  auto decoded = decode(**engine, *columns, texts);
  std::vector<const std::string*> row_of(texts.size());
  for (size_t i = 0; i < decoded.rows.size(); ++i)
    row_of[static_cast<size_t>(decoded.records[i])] = &decoded.rows[i];
  size_t refused = 0;
  for (size_t i = 0; i < texts.size() && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(texts[i]);
    nlohmann::json document;
    auto plain = plain_decode(texts[i], document);
    if (plain == PlainResult::kNoJson) {
      ++refused;
      EXPECT_EQ(row_of[i], nullptr) << "this is no JSON";
    } else if (plain == PlainResult::kJson && row_of[i] != nullptr) {
      auto differs = difference(document, nlohmann::json::parse(*row_of[i]));
      EXPECT_FALSE(differs) << *differs;
    } else if (plain == PlainResult::kJson && must_be_taken(document)) {
      EXPECT_TRUE(has_a_key_twice(texts[i])) << "this is to be taken";
    }
  }
  EXPECT_GT(refused, texts.size() / 6);
  EXPECT_GT(decoded.rows.size(), texts.size() / 6);
  for (const auto& failure : decoded.failures) {
    // A whole document is refused only for a value of the wrong type.
    if (failure.record % 2 == 1) continue;
    EXPECT_EQ(failure.error.find("bad JSON"), std::string::npos) << failure.error << "\n"
                                                                 << texts[failure.record];
  }
}

}  // namespace
}  // namespace millrace::sql
