// A topic that exists, with its columns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "log/log.h"
#include "schema/type.h"
#include "sql/avro_schemas.h"

namespace millrace::topic {

struct TopicDefinition {
  std::string name;
  schema::Columns columns;  // of the values
  std::vector<std::string>
      key;  // the columns that make the records' key (topic/key.h); none: no key
  int32_t partitions = 1;
  // Of the values, which are Avro then; nullptr: they are JSON objects. open_topic() and
  // definition_of() fill it.
  std::shared_ptr<sql::AvroSchemas> avro = nullptr;
};

// What the log keeps beside the topic, and back.
std::string to_metadata(const TopicDefinition& definition);
// Errors: kCorrupt.
Result<TopicDefinition> definition_of(const log::Topic& topic);

// Finds the topic, or makes it. Where the file's definition differs from the topic's: new columns
// and a changed column type are taken over (JSON values carry their own types, Avro values their
// schema's id); another key or number of partitions is kConflict, since the records that are there
// would be in wrong places, and so is another format. The schema of Avro values is on disk when it
// returns.
Result<log::Topic*> open_topic(log::Log& log, const TopicDefinition& definition);

// Whether open_topic() would take this definition. Changes nothing. Errors: as of open_topic().
Result<void> check_topic(log::Log& log, const TopicDefinition& definition);

// The partition of a key: Kafka's murmur2, its sign bit cleared, modulo `partitions`.
PartitionId partition_of(std::string_view key, int32_t partitions);

}  // namespace millrace::topic
