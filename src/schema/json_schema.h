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
// no type, or true        VARCHAR that takes any JSON value; with properties or items beside it
//                         as if its type were object or array
// enum, const             the type of their values; of several types: VARCHAR that takes those
// anyOf, oneOf            the type of the schemas, if it is one; else VARCHAR that takes their
// values null in type, enum or anyOf/oneOf: nullable; so is what takes any JSON value allOf of one
// schema: that schema; of more: kUnsupported $ref "#/…"              the schema there, within this
// document, not into itself, and without
//                         anything beside it that decides a type
//
// `required` is kept: objects without such a field are refused. Anything else in a schema
// (title, description, minLength, pattern, …) says nothing about a column's type and is ignored.
//
// Errors: kInvalid with a JSON Pointer ("#/properties/id/type: 'strin' is not a JSON type; did you
// mean 'string'?") or, for what is no JSON, line and column; kUnsupported for a recursive $ref and
// for names that SQL cannot tell apart; kLimit past limits::kColumnsMax (fields of fields count)
// or limits::kJsonDepthMax.
Result<Columns> columns_from_json_schema(std::string_view text);

}  // namespace millrace::schema
