// Ad-hoc SELECTs over tables and topics.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "schema/type.h"
#include "sql/vector.h"

namespace millrace::sql {

// Fills chunks with rows of one part of a relation. Used by one thread.
class RelationScan {
 public:
  virtual ~RelationScan() = default;
  // Writes up to kChunkRows rows into the asked-for columns; 0 at the end.
  virtual Result<size_t> fill(std::span<VectorWriter> columns) = 0;
};

// Something that a query may read, by name. Immutable; its scans may run on several threads.
class Relation {
 public:
  virtual ~Relation() = default;
  virtual const std::string& schema_name() const = 0;  // "" for topics
  virtual const std::string& name() const = 0;
  virtual const schema::Columns& columns() const = 0;
  virtual size_t part_count() const = 0;  // how many scans may share the work, at least 1
  // `columns`: positions of those that the query reads, perhaps none.
  virtual Result<std::unique_ptr<RelationScan>> open(std::span<const uint32_t> columns,
                                                     size_t part) const = 0;
};

class QueryOutput {
 public:
  virtual ~QueryOutput() = default;
  virtual Result<void> columns(const schema::Columns& columns) = 0;
  virtual Result<void> rows(const Rows& rows) = 0;
};

struct QueryOptions {
  int threads = 1;
  size_t memory_bytes = size_t{256} << 20;
  std::stop_token stop = {};  // ends the query, wherever it is
};

// Runs one SELECT (or WITH, VALUES, DESCRIBE, SHOW TABLES, EXPLAIN) over `relations`, in a DuckDB
// instance of its own that ends with it. Columns of types this project has no name for come as
// VARCHAR.
// Errors: kInvalid with DuckDB's words (its 'did you mean' and the marked line) for bad SQL and for
// any other statement; kCancelled once stop was requested; what a scan or `output` says.
Result<void> run_query(QueryOptions options, std::string_view sql,
                       std::span<const std::shared_ptr<const Relation>> relations,
                       QueryOutput& output);

}  // namespace millrace::sql
