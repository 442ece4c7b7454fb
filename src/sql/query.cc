#include "sql/query.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>

#include "sql/connection.h"
#include "sql/select_statement.h"

namespace millrace::sql {
namespace {

// The first error of a relation in a query: DuckDB keeps only its text.
struct ScanErrors {
  std::mutex mutex;
  std::optional<Error> first;

  void note(Error error) {
    std::scoped_lock lock(mutex);
    if (!first) first = std::move(error);
  }
};

// What DuckDB's callbacks are given for one relation.
struct Source {
  std::shared_ptr<const Relation> relation;
  ScanErrors* errors;
};

// One use of a relation in a query, shared by its threads.
struct GlobalScan {
  std::vector<uint32_t> columns;
  std::atomic<size_t> next_part = 0;
};

struct LocalScan {
  std::unique_ptr<RelationScan> scan;
  std::vector<VectorWriter> writers;
};

void bind_relation(duckdb_bind_info info) {
  const auto& source = *static_cast<const Source*>(duckdb_bind_get_extra_info(info));
  for (const auto& column : source.relation->columns()) {
    auto type = to_duckdb(column.type);
    duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
  }
}

void init_global(duckdb_init_info info) {
  const auto& source = *static_cast<const Source*>(duckdb_init_get_extra_info(info));
  auto scan = std::make_unique<GlobalScan>();
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    // A query that reads no column, such as count(*), asks for the first.
    scan->columns.push_back(static_cast<uint32_t>(duckdb_init_get_column_index(info, i)));
  }
  duckdb_init_set_max_threads(info, source.relation->part_count());
  duckdb_init_set_init_data(info, scan.release(),
                            [](void* data) { delete static_cast<GlobalScan*>(data); });
}

void init_local(duckdb_init_info info) {
  duckdb_init_set_init_data(info, std::make_unique<LocalScan>().release(),
                            [](void* data) { delete static_cast<LocalScan*>(data); });
}

Result<size_t> next_rows(const Source& source, GlobalScan& global, LocalScan& local) {
  while (true) {
    if (!local.scan) {
      size_t part = global.next_part++;
      if (part >= source.relation->part_count()) return 0;
      local.scan = MR_TRY(source.relation->open(global.columns, part));
    }
    size_t rows = MR_TRY(local.scan->fill(local.writers));
    if (rows > 0) return rows;
    local.scan.reset();
  }
}

void fill_relation(duckdb_function_info info, duckdb_data_chunk chunk) {
  const auto& source = *static_cast<const Source*>(duckdb_function_get_extra_info(info));
  auto& global = *static_cast<GlobalScan*>(duckdb_function_get_init_data(info));
  auto& local = *static_cast<LocalScan*>(duckdb_function_get_local_init_data(info));
  if (local.writers.empty())
    for (uint32_t column : global.columns)
      local.writers.emplace_back(source.relation->columns()[column].type);
  for (size_t i = 0; i < local.writers.size(); ++i)
    local.writers[i].bind(duckdb_data_chunk_get_vector(chunk, i));
  auto rows = next_rows(source, global, local);
  if (!rows) {
    duckdb_function_set_error(info, rows.error().message().c_str());
    source.errors->note(std::move(rows).error());
    return;
  }
  for (auto& writer : local.writers) writer.finish();
  duckdb_data_chunk_set_size(chunk, *rows);
}

Result<void> add_relation(Connection& connection, Source& source) {
  std::string name = connection.unique_name();
  TableFunction function(duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), name.c_str());
  duckdb_table_function_set_extra_info(function.get(), &source, nullptr);
  duckdb_table_function_set_bind(function.get(), bind_relation);
  duckdb_table_function_set_init(function.get(), init_global);
  duckdb_table_function_set_local_init(function.get(), init_local);
  duckdb_table_function_set_function(function.get(), fill_relation);
  duckdb_table_function_supports_projection_pushdown(function.get(), true);
  duckdb_register_table_function(connection.get(), function.get());
  std::string view = quote_identifier(source.relation->name());
  if (const auto& schema_name = source.relation->schema_name(); !schema_name.empty()) {
    std::string schema = quote_identifier(schema_name);
    MR_TRY(connection.run(fmt::format("CREATE SCHEMA IF NOT EXISTS {}", schema)));
    view = schema + "." + view;
  }
  return connection.run(fmt::format("CREATE VIEW {} AS SELECT * FROM {}()", view, name));
}

// The same SELECT with columns of types unknown here as text.
Result<Statement> prepare_with_casts(Connection& connection, std::string_view sql,
                                     duckdb_prepared_statement statement) {
  std::string list;
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement); ++i) {
    const char* name = duckdb_prepared_statement_column_name(statement, i);
    std::string quoted = quote_identifier(name);
    duckdb_free(const_cast<char*>(name));
    LogicalType type(duckdb_prepared_statement_column_logical_type(statement, i));
    if (!list.empty()) list += ", ";
    list += from_duckdb(type.get()) ? quoted : fmt::format("CAST({0} AS VARCHAR) AS {0}", quoted);
  }
  return connection.prepare(fmt::format("SELECT {} FROM ({}\n)", list, sql));
}

Result<Statement> prepare(Connection& connection, std::string_view sql) {
  while (!sql.empty() &&
         (sql.back() == ';' || std::isspace(static_cast<unsigned char>(sql.back()))))
    sql.remove_suffix(1);
  auto statement = MR_TRY(connection.prepare(std::string(sql)));
  auto type = duckdb_prepared_statement_type(statement.get());
  if (type != DUCKDB_STATEMENT_TYPE_SELECT && type != DUCKDB_STATEMENT_TYPE_EXPLAIN)
    return fail(ErrorCode::kInvalid,
                "only SELECT can be run here: tables are written by pipelines, topics by sources");
  if (!columns_of(statement.get())) return prepare_with_casts(connection, sql, statement.get());
  return statement;
}

std::unexpected<Error> stopped() {
  return fail(ErrorCode::kCancelled, "the query was stopped before its end");
}

}  // namespace

Result<void> run_query(QueryOptions options, std::string_view sql,
                       std::span<const std::shared_ptr<const Relation>> relations,
                       QueryOutput& output) {
  // Declared first: DuckDB's callbacks use them until the connection is gone.
  ScanErrors errors;
  std::vector<Source> sources;
  for (const auto& relation : relations) sources.push_back({relation, &errors});

  auto engine =
      MR_TRY(Engine::open({.threads = options.threads, .memory_bytes = options.memory_bytes}));
  auto connection = MR_TRY(Connection::open(*engine));
  for (auto& source : sources) MR_TRY(add_relation(connection, source));
  auto statement = MR_TRY(prepare(connection, sql));
  auto columns = MR_TRY(columns_of(statement.get()));
  MR_TRY(output.columns(columns));

  auto failed = [&](Error error) -> Result<void> {
    if (errors.first) return std::unexpected(*errors.first);
    if (options.stop.stop_requested()) return stopped();
    return std::unexpected(std::move(error));
  };
  Pending pending;
  if (duckdb_pending_prepared_streaming(statement.get(), pending.out()) == DuckDBError)
    return failed(Error(ErrorCode::kInvalid, duckdb_pending_error(pending.get())));
  // From here on DuckDB does not forget that it was interrupted.
  std::stop_callback interrupt(options.stop, [&] { duckdb_interrupt(connection.get()); });
  ResultStream stream;
  if (duckdb_execute_pending(pending.get(), stream.get()) == DuckDBError)
    return failed(Error(ErrorCode::kInvalid, duckdb_result_error(stream.get())));
  while (true) {
    if (options.stop.stop_requested()) return stopped();
    auto chunk = stream.fetch();
    if (!chunk) return failed(std::move(chunk).error());
    if (!*chunk) return {};
    std::vector<VectorView> views;
    for (size_t i = 0; i < columns.size(); ++i)
      views.emplace_back(columns[i].type, duckdb_data_chunk_get_vector(chunk->get(), i));
    MR_TRY(output.rows({duckdb_data_chunk_get_size(chunk->get()), views}));
  }
}

}  // namespace millrace::sql
