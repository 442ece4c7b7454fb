// The schemas of a topic's Avro values, kept in the topic's folder as schemas/ID.avsc. Inside
// topic/ only.
#pragma once

#include "log/log.h"
#include "schema/type.h"
#include "sql/avro_schemas.h"

namespace millrace::topic {

// Reads all that are there. The one that these columns make, if there is one, is written with.
// Errors: kCorrupt, kIo.
Result<void> load_schemas(const log::Topic& topic, const schema::Columns& columns,
                          sql::AvroSchemas& schemas);

// The same; and where these columns make another than all that are there, keeps it with the next
// id, durably. Errors: kUnsupported (the columns make none), kCorrupt, kIo.
Result<void> keep_schema(log::Topic& topic, const schema::Columns& columns,
                         sql::AvroSchemas& schemas);

}  // namespace millrace::topic
