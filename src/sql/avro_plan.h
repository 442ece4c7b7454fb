// How values of one Avro schema become rows of some columns. Inside sql/ only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "schema/avro.h"
#include "schema/type.h"

namespace millrace::sql {

// What is done with an Avro value.
enum class AvroStep : uint8_t {
  kNull,
  kBoolean,
  kInteger,           // int, long -> any integer that holds it
  kIntegerToFloat,    // FLOAT
  kIntegerToDouble,   // DOUBLE
  kIntegerToDecimal,  // DECIMAL
  kFloat,
  kFloatToDouble,
  kDouble,
  kText,   // string, bytes -> VARCHAR, if it is UTF-8
  kBytes,  // string, bytes, fixed -> BLOB
  kSymbol,
  kUuidText,
  kUuidBytes,
  kDecimal,  // bytes, fixed -> DECIMAL, HUGEINT
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,
  kTimestampMicros,
  kUnion,
  kArray,
  kMap,
  kRecord,
  kMismatch,  // an error, if it comes
};

struct AvroPlan {
  static constexpr uint32_t kSkip = UINT32_MAX;

  struct Part {
    uint32_t node = kSkip;  // in `nodes`
    uint32_t avro = 0;      // the type, in the schema
    uint32_t column = 0;    // kRecord: of the STRUCT
  };
  struct Node {
    AvroStep step = AvroStep::kMismatch;
    uint32_t avro = 0;  // the type, in the schema
    const schema::Field* field = nullptr;
    std::vector<Part> parts;        // kUnion: branches; kRecord: fields; kArray, kMap: one
    std::vector<uint32_t> missing;  // kRecord: columns that no field goes to
  };

  std::shared_ptr<const schema::AvroSchema> schema;
  std::vector<Node> nodes;
  uint32_t root = 0;
};

// `record`: a STRUCT of the columns; lives as long as the plan.
AvroPlan plan_avro(std::shared_ptr<const schema::AvroSchema> schema, const schema::Field& record);

}  // namespace millrace::sql
