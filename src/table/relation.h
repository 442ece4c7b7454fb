// A table as something that a query reads.
#pragma once

#include <memory>

#include "sql/query.h"
#include "store/store.h"

namespace millrace::table {

// Parts are equal pieces of the token ring.
class TableRelation : public sql::Relation {
 public:
  TableRelation(const store::Store& store, store::TablePtr table)
      : store_(store), table_(std::move(table)) {}

  const std::string& schema_name() const override { return table_->definition().keyspace; }
  const std::string& name() const override { return table_->definition().name; }
  const schema::Columns& columns() const override { return table_->definition().columns; }
  size_t part_count() const override { return kParts; }
  Result<std::unique_ptr<sql::RelationScan>> open(std::span<const uint32_t> columns,
                                                  size_t part) const override;

 private:
  static constexpr size_t kParts = 8;
  const store::Store& store_;
  store::TablePtr table_;
};

}  // namespace millrace::table
