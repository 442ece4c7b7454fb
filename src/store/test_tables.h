// Tables and values that the store's tests share.
#pragma once

#include <string>

#include "base/bytes.h"
#include "store/store.h"

namespace millrace::store {

inline schema::Field column(const char* name, schema::Kind kind) {
  schema::Field field;
  field.name = name;
  field.type.kind = kind;
  return field;
}

inline std::string bigint(int64_t value) {
  std::string bytes;
  append_be(bytes, value);
  return bytes;
}

inline TableDefinition people(const char* name = "people") {
  return {
      .keyspace = "test",
      .name = name,
      .columns = {column("name", schema::Kind::kVarchar), column("id", schema::Kind::kBigInt),
                  column("email", schema::Kind::kVarchar), column("picture", schema::Kind::kBlob)},
      .partition_key = {"id"},
      .clustering_key = {},
      .metadata = "{}"};
}

}  // namespace millrace::store
