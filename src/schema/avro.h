// Avro schemas (specification 1.11): as a tree to decode by, and made from columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "schema/type.h"

namespace millrace::schema {

enum class AvroKind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kFixed,
  kEnum,
  kArray,
  kMap,
  kRecord,
  kUnion,
};
std::string_view to_string(AvroKind kind);  // "null", "boolean", …

// What an Avro value means beyond its kind; those that are not here are passed over, as the
// specification has it.
enum class AvroLogical : uint8_t {
  kNone,
  kDecimal,
  kUuid,
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,  // local-timestamp-millis too
  kTimestampMicros,
};

struct AvroType {
  AvroKind kind = AvroKind::kNull;
  AvroLogical logical = AvroLogical::kNone;
  int32_t scale = 0;               // kDecimal
  uint32_t size = 0;               // kFixed
  std::vector<uint32_t> children;  // positions in AvroSchema::types
  std::vector<std::string> names;  // kRecord: of the columns its fields are; kEnum: the symbols
};

// The first type is the schema's. A record may contain itself.
struct AvroSchema {
  std::vector<AvroType> types;
};

// Errors: kInvalid, with what and where; kLimit (limits::kAvroSchemaBytesMax, kColumnsMax).
Result<AvroSchema> parse_avro_schema(std::string_view json);

// A field that is not called as its column, since Avro's names are of [A-Za-z0-9_], has the
// column's name as this property.
inline constexpr std::string_view kAvroColumn = "millrace.column";

// The schema of a record with these columns, each a union with null. `name`: the record's, made
// fit. Errors: kUnsupported (a MAP whose keys are not VARCHAR), naming the column.
Result<std::string> to_avro_schema(const Columns& columns, std::string_view name);

}  // namespace millrace::schema
