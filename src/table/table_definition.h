// What a pipeline's table is in the store.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "sql/transform.h"
#include "store/store.h"

namespace millrace::table {

struct TableDefinition {
  std::string keyspace;
  std::string name;
  schema::Columns columns;
  std::vector<std::string> partition_key;
  std::vector<std::string> clustering_key;
  std::string topic;   // that feeds it, by
  std::string select;  // this SELECT, these rules and this TTL
  std::vector<sql::Condition> expectations;
  std::string ttl;  // as of sql::TransformSpec
};

// Finds the table, or makes it. A table that exists may get new columns at its end; any other
// difference is kConflict, in words.
Result<store::TablePtr> open_table(store::Store& store, const TableDefinition& definition);

// Whether open_table() would take this definition. Changes nothing. Errors: kConflict, and those of
// Store::create_table().
Result<void> check_table(const store::Store& store, const TableDefinition& definition);

// What a table that exists was last opened with. Errors: kCorrupt.
Result<TableDefinition> definition_of(const store::Table& table);

}  // namespace millrace::table
