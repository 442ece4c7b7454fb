// Column types.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"

namespace millrace::schema {

enum class Kind : uint8_t {
  kBoolean,
  kTinyInt,   // 8 bits, signed, as all integers here
  kSmallInt,  // 16
  kInteger,   // 32
  kBigInt,    // 64
  kHugeInt,   // 128
  kFloat,     // IEEE 754 binary32
  kDouble,    // binary64
  kDecimal,   // precision 1..38 digits, scale 0..precision of them after the point
  kVarchar,   // UTF-8
  kBlob,      // any bytes; in JSON as base64
  kUuid,
  kDate,       // days since 1970-01-01
  kTime,       // microseconds since midnight
  kTimestamp,  // microseconds since 1970-01-01T00:00:00Z
  kList,       // children: one, the element
  kMap,        // children: key (VARCHAR in JSON), value
  kStruct,     // children: the fields
};

// JSON value kinds that a VARCHAR column takes; a set of bits. A string gives its content, anything
// else its JSON text ("76100", "true", "{\"a\": 1}").
enum JsonValues : uint8_t {
  kJsonString = 1,
  kJsonInteger = 2,
  kJsonNumber = 4,  // integers too
  kJsonBoolean = 8,
  kJsonObject = 16,
  kJsonArray = 32,
  kJsonAny = 63,
};

struct Field;

struct Type {
  Kind kind = Kind::kVarchar;
  uint8_t precision = 0;              // kDecimal only
  uint8_t scale = 0;                  // kDecimal only
  uint8_t json_values = kJsonString;  // kVarchar only
  std::vector<Field> children;        // kList, kMap, kStruct only

  friend bool operator==(const Type&, const Type&);
};

// A column of a row, a field of a STRUCT, or the element of a LIST.
struct Field {
  std::string name;
  Type type;
  bool nullable = true;   // JSON null is taken
  bool required = false;  // JSON objects without it are refused

  friend bool operator==(const Field&, const Field&);
};

using Columns = std::vector<Field>;

// The SQL spelling: "BIGINT", "DECIMAL(18,2)", "STRUCT(number BIGINT, name VARCHAR)[]".
// Field names that are no plain identifiers are quoted. JSON rules are not part of it.
std::string to_sql(const Type& type);

// The catalogs' form: [{"name":"id","type":"uuid"},{"name":"tags","type":"list","of":[…]}].
// What has its default is left out. from_json refuses what to_json does not write.
nlohmann::json to_json(const Columns& columns);
Result<Columns> columns_from_json(const nlohmann::json& json);

// Two types whose values mean the same whatever JSON they came from.
bool same_sql_type(const Type& a, const Type& b);

}  // namespace millrace::schema
