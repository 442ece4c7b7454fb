// DuckDB's handles with owners, and its types from and to ours. Inside sql/ only.
#pragma once

#include <duckdb.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "schema/type.h"
#include "sql/engine.h"

namespace millrace::sql {

// Owns a handle that `Destroy` takes by pointer, as DuckDB's functions do.
template <class Handle, auto Destroy>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  ~Owned() { reset(); }
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, Handle{})) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  Handle get() const { return handle_; }
  Handle* out() {
    reset();
    return &handle_;
  }
  explicit operator bool() const { return handle_ != nullptr; }
  void reset() {
    if (handle_ != nullptr) Destroy(&handle_);
    handle_ = nullptr;
  }

 private:
  Handle handle_{};
};

using LogicalType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using DataChunk = Owned<duckdb_data_chunk, duckdb_destroy_data_chunk>;
using Pending = Owned<duckdb_pending_result, duckdb_destroy_pending>;
using Statement = Owned<duckdb_prepared_statement, duckdb_destroy_prepare>;
using TableFunction = Owned<duckdb_table_function, duckdb_destroy_table_function>;

// A result being fetched.
class ResultStream {
 public:
  ResultStream() = default;
  ~ResultStream() { duckdb_destroy_result(&result_); }
  ResultStream(const ResultStream&) = delete;
  ResultStream& operator=(const ResultStream&) = delete;

  duckdb_result* get() { return &result_; }
  // The next chunk; null at the end. Errors: kInvalid with DuckDB's words.
  Result<DataChunk> fetch();

 private:
  duckdb_result result_{};
};

class Connection {
 public:
  static Result<Connection> open(Engine& engine);
  ~Connection();
  Connection(Connection&& other) noexcept
      : engine_(other.engine_), connection_(std::exchange(other.connection_, nullptr)) {}
  Connection& operator=(Connection&&) = delete;

  duckdb_connection get() const { return connection_; }
  // A name that nothing else in the engine has: the catalog of functions is shared.
  std::string unique_name();
  // Errors: kInvalid with DuckDB's words.
  Result<void> run(const std::string& sql);
  Result<Statement> prepare(const std::string& sql);
  // One query that gives one text.
  Result<std::string> query_text(const std::string& sql, const std::string& parameter);

 private:
  Connection(Engine& engine, duckdb_connection connection)
      : engine_(&engine), connection_(connection) {}
  Engine* engine_;
  duckdb_connection connection_ = nullptr;
};

LogicalType to_duckdb(const schema::Type& type);
// Errors: kUnsupported, with a cast that helps ("UBIGINT; cast it to BIGINT").
Result<schema::Type> from_duckdb(duckdb_logical_type type);
// The columns of a prepared SELECT. Errors: kUnsupported, naming the column.
Result<schema::Columns> columns_of(duckdb_prepared_statement statement);

// "name" with quotes, doubled inside.
std::string quote_identifier(std::string_view name);
// 'text' with quotes, doubled inside.
std::string quote_literal(std::string_view text);

}  // namespace millrace::sql
