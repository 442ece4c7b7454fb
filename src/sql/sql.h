// sql: DuckDB, and JSON straight into its vectors and out of them.
//
// - Transform runs a pipeline's SELECT over a batch of JSON records, one record to any number of
//   rows, and says for each record what became of it: rows, nothing, or an error of its own.
// - Query runs anyone's SELECT over relations (tables, topics), for people and tools.
// - A RecordDecoder and a RecordWriter know what a topic's values are: JSON, or Avro with a
// schema's
//   id before it. ItemSplitter finds the items in an API's response.
//
// Called by source, topic, table (through their loops in pipeline) and the doors. Leaves to others:
// where records come from and where rows go.
// Promises: a value of the wrong type, a missing required field, bad JSON, or SQL that fails on one
// record is that record's error, with words, and never another's. Only what the SELECT reads is
// decoded and its types checked; a record that is not JSON (RFC 8259, at most
// limits::kJsonDepthMax levels) is refused wherever it is wrong. Queries cannot read files, the
// network or settings. No exception leaves.
// Threads: an Engine from any; a Transform, a Query, a writer belong to one thread each.
#pragma once

#include "sql/avro_schemas.h"
#include "sql/chunk.h"
#include "sql/engine.h"
#include "sql/json_split.h"
#include "sql/json_writer.h"
#include "sql/query.h"
#include "sql/record_format.h"
#include "sql/transform.h"
#include "sql/vector.h"
