#include "sql/connection.h"

#include <array>
#include <string_view>
#include <vector>

namespace millrace::sql {
namespace {

using schema::Kind;

struct KindPair {
  Kind kind;
  duckdb_type type;
};
// DECIMAL and the nested kinds are made of parts, see below.
constexpr std::array kPlainKinds = {
    KindPair{Kind::kBoolean, DUCKDB_TYPE_BOOLEAN},
    KindPair{Kind::kTinyInt, DUCKDB_TYPE_TINYINT},
    KindPair{Kind::kSmallInt, DUCKDB_TYPE_SMALLINT},
    KindPair{Kind::kInteger, DUCKDB_TYPE_INTEGER},
    KindPair{Kind::kBigInt, DUCKDB_TYPE_BIGINT},
    KindPair{Kind::kHugeInt, DUCKDB_TYPE_HUGEINT},
    KindPair{Kind::kFloat, DUCKDB_TYPE_FLOAT},
    KindPair{Kind::kDouble, DUCKDB_TYPE_DOUBLE},
    KindPair{Kind::kVarchar, DUCKDB_TYPE_VARCHAR},
    KindPair{Kind::kBlob, DUCKDB_TYPE_BLOB},
    KindPair{Kind::kUuid, DUCKDB_TYPE_UUID},
    KindPair{Kind::kDate, DUCKDB_TYPE_DATE},
    KindPair{Kind::kTime, DUCKDB_TYPE_TIME},
    KindPair{Kind::kTimestamp, DUCKDB_TYPE_TIMESTAMP},
    // Both count microseconds since 1970 in UTC.
    KindPair{Kind::kTimestamp, DUCKDB_TYPE_TIMESTAMP_TZ},
};

struct Hint {
  duckdb_type type;
  const char* text;
};
constexpr std::array kUnsupportedTypes = {
    Hint{DUCKDB_TYPE_UTINYINT, "UTINYINT; cast it to SMALLINT"},
    Hint{DUCKDB_TYPE_USMALLINT, "USMALLINT; cast it to INTEGER"},
    Hint{DUCKDB_TYPE_UINTEGER, "UINTEGER; cast it to BIGINT"},
    Hint{DUCKDB_TYPE_UBIGINT, "UBIGINT; cast it to HUGEINT or BIGINT"},
    Hint{DUCKDB_TYPE_UHUGEINT, "UHUGEINT; cast it to HUGEINT"},
    Hint{DUCKDB_TYPE_TIMESTAMP_S, "TIMESTAMP_S; cast it to TIMESTAMP"},
    Hint{DUCKDB_TYPE_TIMESTAMP_MS, "TIMESTAMP_MS; cast it to TIMESTAMP"},
    Hint{DUCKDB_TYPE_TIMESTAMP_NS, "TIMESTAMP_NS; cast it to TIMESTAMP"},
    Hint{DUCKDB_TYPE_TIME_TZ, "TIME WITH TIME ZONE; cast it to TIME"},
    Hint{DUCKDB_TYPE_INTERVAL, "INTERVAL; cast it to VARCHAR, or use epoch(…)"},
    Hint{DUCKDB_TYPE_ENUM, "an ENUM; cast it to VARCHAR"},
    Hint{DUCKDB_TYPE_ARRAY, "a fixed-size ARRAY; cast it to a list such as BIGINT[]"},
    Hint{DUCKDB_TYPE_UNION, "a UNION; pick one member"},
    Hint{DUCKDB_TYPE_BIT, "BIT; cast it to VARCHAR"},
    Hint{DUCKDB_TYPE_SQLNULL, "NULL without a type; cast it, as in NULL::VARCHAR"},
};

Result<schema::Type> nested_from_duckdb(duckdb_type id, duckdb_logical_type type) {
  schema::Type result;
  auto add = [&](std::string name, duckdb_logical_type child) -> Result<void> {
    LogicalType owned(child);
    result.children.push_back({std::move(name), MR_TRY(from_duckdb(owned.get()))});
    return {};
  };
  if (id == DUCKDB_TYPE_LIST) {
    result.kind = Kind::kList;
    MR_TRY(add("element", duckdb_list_type_child_type(type)));
  } else if (id == DUCKDB_TYPE_MAP) {
    result.kind = Kind::kMap;
    MR_TRY(add("key", duckdb_map_type_key_type(type)));
    MR_TRY(add("value", duckdb_map_type_value_type(type)));
  } else {
    result.kind = Kind::kStruct;
    for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
      char* name = duckdb_struct_type_child_name(type, i);
      std::string owned_name = name;
      duckdb_free(name);
      MR_TRY(add(std::move(owned_name), duckdb_struct_type_child_type(type, i)));
    }
  }
  return result;
}

std::string quote(std::string_view text, char mark) {
  std::string quoted(1, mark);
  for (char c : text) {
    if (c == mark) quoted += mark;
    quoted += c;
  }
  return quoted + mark;
}

}  // namespace

Result<DataChunk> ResultStream::fetch() {
  DataChunk chunk(duckdb_fetch_chunk(result_));
  if (!chunk) {
    const char* error = duckdb_result_error(&result_);
    if (error != nullptr && *error != '\0') return fail(ErrorCode::kInvalid, "{}", error);
  }
  return chunk;
}

Result<Connection> Connection::open(Engine& engine) {
  duckdb_connection connection = nullptr;
  if (duckdb_connect(static_cast<duckdb_database>(engine.database_), &connection) == DuckDBError)
    return fail(ErrorCode::kIo, "DuckDB refused a connection");
  return Connection(engine, connection);
}

std::string Connection::unique_name() {
  return fmt::format("millrace_{}", engine_->names_given_++);
}

Connection::~Connection() {
  if (connection_ != nullptr) duckdb_disconnect(&connection_);
}

Result<void> Connection::run(const std::string& sql) {
  ResultStream stream;
  if (duckdb_query(connection_, sql.c_str(), stream.get()) == DuckDBError)
    return fail(ErrorCode::kInvalid, "{}", duckdb_result_error(stream.get()));
  return {};
}

Result<Statement> Connection::prepare(const std::string& sql) {
  Statement statement;
  if (duckdb_prepare(connection_, sql.c_str(), statement.out()) == DuckDBError)
    return fail(ErrorCode::kInvalid, "{}", duckdb_prepare_error(statement.get()));
  return statement;
}

Result<std::string> Connection::query_text(const std::string& sql, const std::string& parameter) {
  auto statement = MR_TRY(prepare(sql));
  duckdb_bind_varchar_length(statement.get(), 1, parameter.data(), parameter.size());
  ResultStream stream;
  if (duckdb_execute_prepared(statement.get(), stream.get()) == DuckDBError)
    return fail(ErrorCode::kInvalid, "{}", duckdb_result_error(stream.get()));
  char* text = duckdb_value_varchar(stream.get(), 0, 0);
  std::string result = text == nullptr ? "" : text;
  duckdb_free(text);
  return result;
}

LogicalType to_duckdb(const schema::Type& type) {
  for (const auto& pair : kPlainKinds)
    if (pair.kind == type.kind) return LogicalType(duckdb_create_logical_type(pair.type));
  if (type.kind == Kind::kDecimal)
    return LogicalType(duckdb_create_decimal_type(type.precision, type.scale));
  std::vector<LogicalType> children;
  std::vector<duckdb_logical_type> handles;
  std::vector<const char*> names;
  for (const auto& child : type.children) {
    children.push_back(to_duckdb(child.type));
    handles.push_back(children.back().get());
    names.push_back(child.name.c_str());
  }
  if (type.kind == Kind::kList) return LogicalType(duckdb_create_list_type(handles[0]));
  if (type.kind == Kind::kMap) return LogicalType(duckdb_create_map_type(handles[0], handles[1]));
  return LogicalType(duckdb_create_struct_type(handles.data(), names.data(), handles.size()));
}

Result<schema::Type> from_duckdb(duckdb_logical_type type) {
  duckdb_type id = duckdb_get_type_id(type);
  for (const auto& pair : kPlainKinds)
    if (pair.type == id) return schema::Type{.kind = pair.kind};
  if (id == DUCKDB_TYPE_DECIMAL)
    return schema::Type{.kind = Kind::kDecimal,
                        .precision = duckdb_decimal_width(type),
                        .scale = duckdb_decimal_scale(type)};
  if (id == DUCKDB_TYPE_LIST || id == DUCKDB_TYPE_MAP || id == DUCKDB_TYPE_STRUCT)
    return nested_from_duckdb(id, type);
  for (const auto& hint : kUnsupportedTypes)
    if (hint.type == id) return fail(ErrorCode::kUnsupported, "{}", hint.text);
  return fail(ErrorCode::kUnsupported, "of a type without a name here; cast it to VARCHAR");
}

Result<schema::Columns> columns_of(duckdb_prepared_statement statement) {
  schema::Columns columns;
  for (idx_t i = 0; i < duckdb_prepared_statement_column_count(statement); ++i) {
    const char* name = duckdb_prepared_statement_column_name(statement, i);
    std::string owned_name = name;
    duckdb_free(const_cast<char*>(name));
    LogicalType logical(duckdb_prepared_statement_column_logical_type(statement, i));
    auto type = from_duckdb(logical.get());
    if (!type)
      return fail(type.error().code(), "column '{}' is {}", owned_name, type.error().message());
    columns.push_back({std::move(owned_name), *std::move(type)});
  }
  return columns;
}

std::string quote_identifier(std::string_view name) {
  return quote(name, '"');
}
std::string quote_literal(std::string_view text) {
  return quote(text, '\'');
}

}  // namespace millrace::sql
