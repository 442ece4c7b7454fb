// Avro values -> rows of a chunk, each by the schema it was written with. Inside sql/ only.
#pragma once

#include <memory>
#include <string>

#include "sql/avro_schemas.h"
#include "sql/record_format.h"

namespace millrace::sql {

// A field goes to the column of its name; a column without a field is NULL, and a field without a
// column is passed over. Numbers are promoted (int, long, float, double; also to DECIMAL), and long
// becomes a smaller integer where it fits.
class AvroDecoder final : public RecordDecoder {
 public:
  AvroDecoder(const schema::Columns& columns, std::shared_ptr<const AvroSchemas> schemas);
  ~AvroDecoder() override;

  void begin(std::span<VectorWriter> columns) override;
  bool decode(std::string_view value, size_t row) override;
  const std::string& error() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::sql
