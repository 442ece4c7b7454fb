#include "sql/avro_decoder.h"

#include <avro.h>
#include <gtest/gtest.h>

#include <random>

#include "base/bytes.h"
#include "base/uuid.h"
#include "sql/avro_writer.h"
#include "sql/chunk.h"
#include "sql/json_writer.h"
#include "sql/sql.h"
#include "sql/test_rows.h"

namespace millrace::sql {
namespace {

using schema::Columns;
using schema::Kind;
using schema::Type;

std::string framed(int32_t id, std::string_view record) {
  std::string value(1, kAvroMagic);
  append_be(value, id);
  value += record;
  return value;
}

std::shared_ptr<AvroSchemas> schemas_of(std::initializer_list<std::string> texts) {
  auto schemas = std::make_shared<AvroSchemas>();
  int32_t id = 0;
  for (const auto& text : texts) {
    auto parsed = schema::parse_avro_schema(text);
    EXPECT_TRUE(parsed) << parsed.error().message() << text;
    schemas->add(++id, *std::move(parsed));
  }
  schemas->write_with(id);
  return schemas;
}

// What a value is read as: a JSON object, or the error.
std::string read(const Columns& columns, const std::shared_ptr<AvroSchemas>& schemas,
                 const std::string& value, std::string* written = nullptr) {
  auto decoder = make_decoder(columns, schemas);
  Chunk chunk(columns);
  decoder->begin(chunk.begin());
  const PaddedTexts padded(std::span(&value, 1));
  if (!decoder->decode(*padded.views()[0], 0)) return decoder->error();
  auto rows = chunk.finish(1);
  std::string json;
  JsonWriter(columns).append(rows, 0, json);
  if (written != nullptr) make_writer(columns, schemas.get())->append(rows, 0, *written);
  return json;
}

std::string record_schema(const std::string& fields) {
  return R"({"type": "record", "name": "r", "fields": [)" + fields + "]}";
}

// Values by avro-c, which knows nothing of logical types.
class Oracle {
 public:
  Oracle(const Columns& columns, const std::string& schema, uint32_t seed)
      : columns_(columns), random_(seed) {
    EXPECT_EQ(avro_schema_from_json_length(schema.data(), schema.size(), &schema_), 0)
        << avro_strerror() << schema;
    class_ = avro_generic_class_from_schema(schema_);
  }
  ~Oracle() {
    avro_value_iface_decref(class_);
    avro_schema_decref(schema_);
  }
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  // A record in Avro's binary encoding.
  std::string any() {
    avro_value_t value;
    EXPECT_EQ(avro_generic_value_new(class_, &value), 0);
    fill_record(value, columns_);
    std::string bytes(size_t{1} << 20, '\0');
    auto* writer = avro_writer_memory(bytes.data(), static_cast<int64_t>(bytes.size()));
    EXPECT_EQ(avro_value_write(writer, &value), 0) << avro_strerror();
    bytes.resize(static_cast<size_t>(avro_writer_tell(writer)));
    avro_writer_free(writer);
    avro_value_decref(&value);
    return bytes;
  }

 private:
  void fill_record(avro_value_t& record, const Columns& columns) {
    for (size_t i = 0; i < columns.size(); ++i) {
      avro_value_t field;
      ASSERT_EQ(avro_value_get_by_index(&record, i, &field, nullptr), 0);
      fill_union(field, columns[i].type);
    }
  }
  void fill_union(avro_value_t& value, const Type& type) {
    avro_value_t branch;
    bool is_null = random_() % 4 == 0;
    ASSERT_EQ(avro_value_set_branch(&value, is_null ? 0 : 1, &branch), 0);
    if (is_null)
      avro_value_set_null(&branch);
    else
      fill(branch, type);
  }
  int64_t number(int bits) {
    auto any = static_cast<int64_t>(uint64_t{random_()} << 32 | random_());
    return any >> (64 - bits + static_cast<int>(random_() % static_cast<uint32_t>(bits)));
  }
  std::string text() {
    std::string made;
    for (size_t left = random_() % 40; left > 0; --left)
      made += random_() % 5 == 0 ? "ë" : std::string(1, static_cast<char>('a' + random_() % 26));
    return made;
  }
  void set_text(avro_value_t& value, const std::string& made) {
    avro_value_set_string_len(&value, made.c_str(), made.size() + 1);
  }
  // The fewest bytes, as ours are.
  void set_decimal(avro_value_t& value, int64_t unscaled) {
    std::string bytes;
    append_be(bytes, unscaled);
    while (bytes.size() > 1 && ((bytes[0] == '\0' && (bytes[1] & 0x80) == 0) ||
                                (bytes[0] == '\xff' && (bytes[1] & 0x80) != 0)))
      bytes.erase(0, 1);
    avro_value_set_bytes(&value, bytes.data(), bytes.size());
  }
  void fill(avro_value_t& value, const Type& type);

  const Columns& columns_;
  std::mt19937 random_;
  avro_schema_t schema_ = nullptr;
  avro_value_iface_t* class_ = nullptr;
};

void Oracle::fill(avro_value_t& value, const Type& type) {
  switch (type.kind) {
    case Kind::kBoolean:
      avro_value_set_boolean(&value, random_() % 2);
      return;
    case Kind::kTinyInt:
      avro_value_set_int(&value, static_cast<int32_t>(number(8)));
      return;
    case Kind::kSmallInt:
      avro_value_set_int(&value, static_cast<int32_t>(number(16)));
      return;
    case Kind::kInteger:
    case Kind::kDate:
      avro_value_set_int(&value, static_cast<int32_t>(number(32)));
      return;
    case Kind::kTime:
      avro_value_set_long(&value, std::abs(number(36)));
      return;
    case Kind::kBigInt:
    case Kind::kTimestamp:
      avro_value_set_long(&value, number(64));
      return;
    case Kind::kFloat:
      avro_value_set_float(&value, static_cast<float>(number(40)) / 7);
      return;
    case Kind::kDouble:
      avro_value_set_double(&value, static_cast<double>(number(60)) / 7);
      return;
    case Kind::kHugeInt:
      return set_decimal(value, number(64));
    case Kind::kDecimal:
      return set_decimal(value, number(type.precision * 3));
    case Kind::kVarchar:
      return set_text(value, text());
    case Kind::kBlob: {
      auto made = text();
      avro_value_set_bytes(&value, made.data(), made.size());
      return;
    }
    case Kind::kUuid: {
      Uuid uuid;
      for (auto& byte : uuid.bytes) byte = static_cast<uint8_t>(random_());
      return set_text(value, to_string(uuid));
    }
    case Kind::kList:
    case Kind::kMap:
      for (size_t left = random_() % 4; left > 0; --left) {
        avro_value_t element;
        if (type.kind == Kind::kList)
          avro_value_append(&value, &element, nullptr);
        else
          avro_value_add(&value, fmt::format("{}{}", left, text()).c_str(), &element, nullptr,
                         nullptr);
        fill_union(element, type.children.back().type);
      }
      return;
    case Kind::kStruct:
      return fill_record(value, type.children);
  }
}

Type any_type(std::mt19937& random, int depth) {
  auto kind = static_cast<Kind>(random() % (depth > 2 ? 15 : 18));
  Type type{.kind = kind};
  if (kind == Kind::kDecimal) {
    type.precision = static_cast<uint8_t>(1 + random() % 18);
    type.scale = static_cast<uint8_t>(random() % (type.precision + 1u));
  }
  if (kind == Kind::kList) type.children = {{"element", any_type(random, depth + 1)}};
  if (kind == Kind::kMap) type.children = {{"key", {}}, {"value", any_type(random, depth + 1)}};
  for (size_t left = kind == Kind::kStruct ? 1 + random() % 4 : 0; left > 0; --left)
    type.children.push_back({fmt::format("field {}", left), any_type(random, depth + 1)});
  return type;
}

// What avro-c encodes we read, and write again to the same bytes.
TEST(Avro, AgreesWithAvroC) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    Columns columns;
    for (size_t i = 0; i < 1 + random() % 8; ++i)
      columns.push_back({fmt::format("c{}", i), any_type(random, 0)});
    auto text = *schema::to_avro_schema(columns, "t");
    auto schemas = schemas_of({text});
    Oracle oracle(columns, text, seed);
    for (int i = 0; i < 5; ++i) {
      auto value = framed(1, oracle.any());
      std::string written;
      auto json = read(columns, schemas, value, &written);
      ASSERT_TRUE(json.starts_with('{')) << json;
      ASSERT_EQ(written, value) << json;
      // No part of it, and nothing longer, is a value.
      auto cut = value.substr(0, random() % value.size());
      EXPECT_FALSE(read(columns, schemas, cut).starts_with('{')) << json;
      EXPECT_FALSE(read(columns, schemas, value + "x").starts_with('{')) << json;
      // Other bytes may be one, and do no harm.
      value[5 + random() % (value.size() - 5)] = static_cast<char>(random());
      read(columns, schemas, value);
    }
  }
}

TEST(Avro, ValuesMeanWhatTheirLogicalTypesSay) {
  const Columns columns = {{"date", {.kind = Kind::kDate}},
                           {"time", {.kind = Kind::kTime}},
                           {"at", {.kind = Kind::kTimestamp}},
                           {"price", {.kind = Kind::kDecimal, .precision = 5, .scale = 2}},
                           {"huge", {.kind = Kind::kHugeInt}},
                           {"id", {.kind = Kind::kUuid}},
                           {"kind", {}}};
  auto schemas = schemas_of({record_schema(R"(
    {"name": "date", "type": {"type": "int", "logicalType": "date"}},
    {"name": "time", "type": {"type": "int", "logicalType": "time-millis"}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 4,
                               "scale": 1}},
    {"name": "huge", "type": {"type": "fixed", "name": "f", "size": 3, "logicalType": "decimal",
                              "precision": 6}},
    {"name": "id", "type": {"type": "fixed", "name": "u", "size": 16, "logicalType": "uuid"}},
    {"name": "kind", "type": {"type": "enum", "name": "k", "symbols": ["x", "y"]}})")});
  const std::string record =
      std::string("\x02\xd0\x0f\xd0\x0f\x04\xff\x85\xff\xff\xfe", 11) + "0123456789abcdef\x02";
  EXPECT_EQ(read(columns, schemas, framed(1, record)),
            R"({"date":"1970-01-02","time":"00:00:01","at":"1970-01-01T00:00:01Z","price":-12.30,)"
            R"("huge":-2,"id":"30313233-3435-3637-3839-616263646566","kind":"y"})");
}

TEST(Avro, AFieldGoesToTheColumnOfItsNameWhateverTheOrder) {
  const Columns columns = {{"a", {.kind = Kind::kDouble}},
                           {"new", {}},
                           {"s", {.kind = Kind::kStruct, .children = {{"y", {}}, {"z", {}}}}}};
  auto schemas = schemas_of({record_schema(R"(
    {"name": "gone", "type": {"type": "array", "items": {"type": "map", "values": "bytes"}}},
    {"name": "s", "type": ["null", {"type": "record", "name": "s", "fields": [
      {"name": "x", "type": ["r", "null"]}, {"name": "y", "type": "string"}]}]},
    {"name": "a", "type": "int"})")});
  // An array of one map in a block with its size; no x.
  const std::string record = std::string("\x02\x02\x02k\x04vv\x00\x00\x02\x02\x04yy\x54", 15);
  EXPECT_EQ(read(columns, schemas, framed(1, record)),
            R"({"a":42,"new":null,"s":{"y":"yy","z":null}})");
}

TEST(Avro, NumbersArePromotedAndBecomeSmallerWhereTheyFit) {
  auto schemas = schemas_of({record_schema(R"({"name": "n", "type": "long"})"),
                             record_schema(R"({"name": "n", "type": "float"})")});
  auto as = [&](Type type, int32_t id, std::string_view record) {
    return read({{"n", std::move(type)}}, schemas, framed(id, record));
  };
  EXPECT_EQ(as({.kind = Kind::kTinyInt}, 1, "\xff\x01"), R"({"n":-128})");
  EXPECT_EQ(as({.kind = Kind::kTinyInt}, 1, "\x80\x02"), "n: 128 does not fit TINYINT");
  EXPECT_EQ(as({.kind = Kind::kHugeInt}, 1, "\x05"), R"({"n":-3})");
  EXPECT_EQ(as({.kind = Kind::kFloat}, 1, "\x06"), R"({"n":3})");
  EXPECT_EQ(as({.kind = Kind::kDecimal, .precision = 4, .scale = 2}, 1, "\x06"), R"({"n":3.00})");
  EXPECT_EQ(as({.kind = Kind::kDecimal, .precision = 4, .scale = 2}, 1, "\xd0\x0f"),
            "n: expected DECIMAL(4,2), got a number with more digits");
  EXPECT_EQ(as({.kind = Kind::kDouble}, 2, std::string_view("\0\0\0\x3f", 4)), R"({"n":0.5})");
  EXPECT_EQ(as({.kind = Kind::kVarchar}, 1, "\x06"), "n: expected VARCHAR, got Avro's long");
}

TEST(Avro, WhatIsNoValueIsSaidWithItsPlace) {
  const Columns columns = {{"list", {.kind = Kind::kList, .children = {{"element", {}}}}}};
  auto schemas = schemas_of({*schema::to_avro_schema(columns, "t"), "\"int\""});
  EXPECT_EQ(read(columns, schemas, R"({"a":1})"),
            "bad Avro: 7 bytes that do not begin with 00 and a schema's id: {\"a\":1}");
  EXPECT_EQ(read(columns, schemas, framed(7, "")),
            "it was written with schema 7; the topic has 1, 2");
  EXPECT_EQ(read(columns, schemas, framed(2, "")), "schema 2 is of int and not of a record");
  EXPECT_EQ(read(columns, schemas, framed(1, "\x04")), "list: bad Avro: no union at byte 6");
  EXPECT_EQ(read(columns, schemas, framed(1, "\x02\x04\x02\x02\xff")),
            "list.[0]: expected VARCHAR, got text that is not UTF-8: ?");
  EXPECT_EQ(read(columns, schemas, framed(1, "\x02\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
            "list: bad Avro: no array at byte 16");
  EXPECT_EQ(read({{"list", columns[0].type, true, false}, {"must", {}, false, true}}, schemas,
                 framed(1, std::string_view("\0", 1))),
            "must: required, but missing");
}

}  // namespace
}  // namespace millrace::sql
