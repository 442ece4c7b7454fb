// JSON records -> rows of a chunk, driven by the columns wanted. Inside sql/, and for relations
// over topics.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "schema/type.h"
#include "sql/vector.h"

namespace millrace::sql {

// Decodes one object after another. Fields that are no columns are passed over; of a key that
// stands twice the last counts. Belongs to one thread; keeps its memory.
class JsonDecoder {
 public:
  // `columns` lives as long as the decoder.
  explicit JsonDecoder(const schema::Columns& columns);
  ~JsonDecoder();
  JsonDecoder(JsonDecoder&&) noexcept;

  // Takes the vectors of an empty chunk, one for each column. Texts decoded before are forgotten.
  void begin(std::span<VectorWriter> columns);
  // Writes `json` (kJsonPadding readable bytes behind it) into row `row`. False: error() says why,
  // and the row may be written again.
  bool decode(std::string_view json, size_t row);
  // "location.postcode: expected a string or an integer, got true".
  const std::string& error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::sql
