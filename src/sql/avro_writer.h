// Rows as Avro values, framed as Confluent's serializers do. Inside sql/ only.
#pragma once

#include <cstdint>
#include <string>

#include "sql/record_format.h"

namespace millrace::sql {

// A value: 00, the schema's id (4 bytes, big endian), then the record in Avro's binary encoding.
inline constexpr char kAvroMagic = 0;
inline constexpr size_t kAvroFrame = 5;

class AvroWriter final : public RecordWriter {
 public:
  // `id`: of the schema that schema::to_avro_schema() makes of the rows' columns.
  explicit AvroWriter(int32_t id) : id_(id) {}
  void append(const Rows& rows, size_t row, std::string& to) const override;

 private:
  int32_t id_;
};

}  // namespace millrace::sql
