// topic: a pipeline's topics: records, JSON or Avro, with a key, in partitions, on the embedded
// log.
//
// Called by pipeline (its loops) and, through it, by the doors. Leaves to others: durability and
// offsets (log), bytes of a batch (record), decoding and encoding of values (sql), what a dead
// letter is.
// Promises: a record's key decides its partition as Kafka's default partitioner does (murmur2), so
// the same key keeps its order; a page of rows reaches all its partitions or, after a crash and
// recover_page(), none; a page's cursor is in the same batches as its rows.
// Threads: a PageWriter and a Reader belong to one each; relations and functions to any.
#pragma once

#include "topic/key.h"
#include "topic/page_writer.h"
#include "topic/reader.h"
#include "topic/relation.h"
#include "topic/topic_definition.h"
#include "topic/value_text.h"
