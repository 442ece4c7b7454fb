// A table as the store knows it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "schema/type.h"

namespace millrace::store {

struct TableDefinition {
  std::string keyspace;
  std::string name;
  schema::Columns columns;                  // all, key columns included, in the user's order
  std::vector<std::string> partition_key;   // names of columns, at least one
  std::vector<std::string> clustering_key;  // in order, ascending
  std::string metadata;                     // JSON of the owner's; the store does not read it

  std::string full_name() const { return keyspace + "." + name; }
};

// A table that exists. Immutable; a change of its definition makes a new Table.
class Table {
 public:
  Table(TableId id, TableDefinition definition);
  TableId id() const { return id_; }
  const TableDefinition& definition() const { return definition_; }
  // Positions in definition().columns.
  const std::vector<uint32_t>& partition_key() const { return partition_key_; }
  const std::vector<uint32_t>& clustering_key() const { return clustering_key_; }
  bool is_key(uint32_t column) const { return is_key_[column]; }

 private:
  TableId id_;
  TableDefinition definition_;
  std::vector<uint32_t> partition_key_;
  std::vector<uint32_t> clustering_key_;
  std::vector<bool> is_key_;
};
using TablePtr = std::shared_ptr<const Table>;

}  // namespace millrace::store
