// table: a pipeline's tables: rows by primary key in keyspaces, on the embedded store.
//
// Called by pipeline (its loops) and, through it, by the doors. Leaves to others: key order, cells
// on disk, reconciling (store), SQL (sql), what a dead letter is.
// Promises: the rows of a batch of records and the offset after them are committed together or not
// at all. A row's time is its record's timestamp and place, so a later record of the same key wins,
// whenever it is written. A column that is NULL is left as it was. A record without a value erases
// its key's row as it was before. A row's TTL counts from its record's timestamp. So a replay ends
// at the same rows. Threads: a RowWriter belongs to one; relations to any.
#pragma once

#include "table/relation.h"
#include "table/row_writer.h"
#include "table/table_definition.h"
