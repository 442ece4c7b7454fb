// JSON Schema of one item -> columns.
#pragma once

#include <string_view>

#include "schema/type.h"

namespace millrace::schema {

// `text` is a JSON Schema of an object; its properties, in their order, become the columns.
//
// string                  VARCHAR; by format: uuid UUID, date-time TIMESTAMP, date DATE, time TIME;
//                         by contentEncoding base64: BLOB; any other format: VARCHAR
// integer                 BIGINT; by format int8/int16/int32/int64: that width; HUGEINT where
//                         minimum or maximum is beyond 64 bits or format is int128
// number                  DOUBLE; format float: FLOAT; multipleOf 10^-k: DECIMAL(38,k)
// boolean                 BOOLEAN
// object with properties  STRUCT; with only additionalProperties: {schema}: MAP(VARCHAR, …);
//                         with neither: VARCHAR of its JSON text
// array                   LIST of items; without items: VARCHAR of its JSON text
// several types           VARCHAR that takes those (["integer", "string"]: 76100 and "4010 XJ")
// no type, or true        VARCHAR that takes any JSON value
// enum, const             the type of their values, all of one type
// null in type, or anyOf/oneOf of one schema and {"type":"null"}: nullable
// $ref "#/…"              the schema there, within this document, not into itself
//
// `required` is kept: objects without such a field are refused. Anything else in a schema
// (title, description, minLength, pattern, …) says nothing about a column's type and is ignored.
//
// Errors: kInvalid with a JSON Pointer ("#/properties/id/type: 'strin' is not a JSON type; did you
// mean 'string'?"); kUnsupported for a recursive $ref; kLimit past limits::kColumnsMax or
// limits::kJsonDepthMax.
Result<Columns> columns_from_json_schema(std::string_view text);

}  // namespace millrace::schema
