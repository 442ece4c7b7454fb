// schema: what columns there are and what their values may be.
//
// A Type is a column's type: the SQL type it has in queries and tables, and, for values that come
// as JSON, which JSON values it takes. A JSON Schema (draft 2020-12 and older) of one item becomes
// columns; columns are written to and read from the catalogs as JSON.
//
// Called by spec (schema files), store and topic (catalogs), sql (decoding, encoding) and doors.
// Promises: pure values, no I/O, safe from any thread. What a schema says and this room cannot
// honour is an error that names the place as a JSON Pointer, never a silent guess.
#pragma once

#include "schema/json_schema.h"
#include "schema/type.h"
