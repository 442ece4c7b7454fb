// JSON records -> rows of a chunk, driven by the columns wanted. Inside sql/, and for relations
// over topics.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "schema/type.h"
#include "sql/record_format.h"

namespace millrace::sql {

// Fields that are no columns.
enum class UnknownFields : uint8_t { kPassOver, kRefuse };

// Decodes one object after another. Of a key that stands twice the last counts. Belongs to one
// thread; keeps its memory.
class JsonDecoder final : public RecordDecoder {
 public:
  // `columns` lives as long as the decoder.
  explicit JsonDecoder(const schema::Columns& columns,
                       UnknownFields unknown = UnknownFields::kPassOver);
  ~JsonDecoder() override;
  JsonDecoder(JsonDecoder&&) noexcept;

  // Takes the vectors of an empty chunk, one for each column. Texts decoded before are forgotten.
  void begin(std::span<VectorWriter> columns) override;
  // Writes `json` (kJsonPadding readable bytes behind it) into row `row`. False: error() says why,
  // and the row may be written again.
  bool decode(std::string_view json, size_t row) override;
  // "location.postcode: expected a string or an integer, got true".
  const std::string& error() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::sql
