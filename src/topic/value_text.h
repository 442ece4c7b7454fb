// Values as people read them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sql/chunk.h"
#include "sql/json_writer.h"
#include "sql/record_format.h"
#include "topic/topic_definition.h"

namespace millrace::topic {

// JSON of a topic's values, whatever their format. Belongs to one thread.
class ValueText {
 public:
  explicit ValueText(const TopicDefinition& definition);

  // JSON is left as it is, and so is what cannot be read; Avro becomes an object of the topic's
  // columns.
  std::string of(std::string_view value);

 private:
  struct Avro {
    sql::Chunk chunk;
    std::unique_ptr<sql::RecordDecoder> decoder;
    sql::JsonWriter writer;
  };
  std::unique_ptr<Avro> avro_;
};

}  // namespace millrace::topic
