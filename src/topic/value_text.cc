#include "topic/value_text.h"

#include "sql/json_split.h"

namespace millrace::topic {

ValueText::ValueText(const TopicDefinition& definition) {
  if (definition.avro == nullptr) return;
  sql::Chunk chunk(definition.columns);
  auto decoder = sql::make_decoder(chunk.columns(), definition.avro);
  avro_ = std::make_unique<Avro>(std::move(chunk), std::move(decoder),
                                 sql::JsonWriter(definition.columns));
}

std::string ValueText::of(std::string_view value) {
  if (avro_ == nullptr) return std::string(value);
  std::string padded(value);
  padded.append(sql::kJsonPadding, '\0');
  avro_->decoder->begin(avro_->chunk.begin());
  if (!avro_->decoder->decode(std::string_view(padded).substr(0, value.size()), 0))
    return std::string(value);
  std::string text;
  avro_->writer.append(avro_->chunk.finish(1), 0, text);
  return text;
}

}  // namespace millrace::topic
