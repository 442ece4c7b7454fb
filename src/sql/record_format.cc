#include "sql/record_format.h"

#include "sql/avro_decoder.h"
#include "sql/avro_writer.h"
#include "sql/json_decoder.h"
#include "sql/json_writer.h"

namespace millrace::sql {

std::unique_ptr<RecordDecoder> make_decoder(const schema::Columns& columns,
                                            std::shared_ptr<const AvroSchemas> avro) {
  if (avro == nullptr) return std::make_unique<JsonDecoder>(columns);
  return std::make_unique<AvroDecoder>(columns, std::move(avro));
}

std::unique_ptr<RecordWriter> make_writer(const schema::Columns& columns, const AvroSchemas* avro) {
  if (avro == nullptr) return std::make_unique<JsonWriter>(columns);
  return std::make_unique<AvroWriter>(avro->written_id());
}

}  // namespace millrace::sql
