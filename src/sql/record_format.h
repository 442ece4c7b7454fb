// What a topic's values are: JSON objects, or Avro's binary encoding with a schema's id before it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "schema/type.h"
#include "sql/vector.h"

namespace millrace::sql {

class AvroSchemas;

// Values -> rows of a chunk, driven by the columns wanted. Belongs to one thread; keeps its memory.
class RecordDecoder {
 public:
  virtual ~RecordDecoder() = default;
  // Takes the vectors of an empty chunk, one for each column. What decoded texts lie in, beside the
  // values themselves, is forgotten.
  virtual void begin(std::span<VectorWriter> columns) = 0;
  // Writes `value` (kJsonPadding readable bytes behind it) into row `row`; texts are borrowed from
  // it. False: error() says why, and the row may be written again.
  virtual bool decode(std::string_view value, size_t row) = 0;
  // "location.postcode: expected a string or an integer, got true".
  virtual const std::string& error() const = 0;
};

// Rows -> values.
class RecordWriter {
 public:
  virtual ~RecordWriter() = default;
  // Appends the value of row `row` to `to`.
  virtual void append(const Rows& rows, size_t row, std::string& to) const = 0;
};

// `columns` lives as long as the decoder. `avro`: nullptr where the values are JSON.
std::unique_ptr<RecordDecoder> make_decoder(const schema::Columns& columns,
                                            std::shared_ptr<const AvroSchemas> avro);
// `columns`: of the rows, and those that the schema written with was made of.
std::unique_ptr<RecordWriter> make_writer(const schema::Columns& columns, const AvroSchemas* avro);

}  // namespace millrace::sql
