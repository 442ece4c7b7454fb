// sql: runs a SELECT, prints its rows.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "sql/json_writer.h"

namespace millrace::cli {
namespace {

constexpr size_t kEmitBytes = 1 << 16;

// An answer of /v1/sql; the texts lie in the answer.
struct Rows {
  std::vector<std::string> names;
  std::vector<std::string> types;
  std::vector<std::vector<std::string_view>> rows;
  int64_t undecodable = 0;
  bool truncated = false;
  double elapsed_ms = 0;
};

Result<Rows> rows_of(std::string_view json) {
  JsonSlicer slicer;
  Rows rows;
  auto columns = MR_TRY(slicer.member(json, "columns"));
  for (const auto& column : nlohmann::json::parse(columns)) {
    rows.names.push_back(column.at("name"));
    rows.types.push_back(column.at("type"));
  }
  auto all = MR_TRY(slicer.member(json, "rows"));
  for (auto row : MR_TRY(slicer.elements(all))) {
    rows.rows.push_back(MR_TRY(slicer.elements(row)));
    if (rows.rows.back().size() != rows.names.size())
      return fail(ErrorCode::kCorrupt, "a row with too few values");
  }
  rows.undecodable = nlohmann::json::parse(MR_TRY(slicer.member(json, "undecodable")));
  rows.truncated = MR_TRY(slicer.member(json, "truncated")) == "true";
  rows.elapsed_ms = nlohmann::json::parse(MR_TRY(slicer.member(json, "elapsed_ms")));
  return rows;
}

bool is_number_type(std::string_view type) {
  for (std::string_view number :
       {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE"})
    if (type == number) return true;
  return type.starts_with("DECIMAL(") && type.ends_with(')');
}

// Numbers as they are: a year or a postcode is not to become 1,984.
Result<void> print_text(const Rows& rows, Output& out) {
  std::vector<Column> columns;
  for (size_t i = 0; i < rows.names.size(); ++i)
    columns.push_back({printable(rows.names[i]), is_number_type(rows.types[i])});
  auto cell = [&](size_t row, size_t column) -> Cell {
    auto json = rows.rows[row][column];
    if (json == "null") return {"NULL", Look::kDim};
    return {printable(content_of(json))};
  };
  return print_table(columns, rows.rows.size(), cell, out.terminal(), out.emit());
}

// An array of objects, a row a line.
Result<void> print_json(const Rows& rows, Output& out) {
  std::vector<std::string> keys;
  for (const auto& name : rows.names) {
    auto& key = keys.emplace_back(keys.empty() ? "{" : ",");
    sql::append_json_string(name, key);
    key += ':';
  }
  std::string text = "[";
  for (size_t row = 0; row < rows.rows.size(); ++row) {
    text += row == 0 ? "" : ",\n";
    for (size_t i = 0; i < keys.size(); ++i) {
      text += keys[i];
      text += rows.rows[row][i];
    }
    text += '}';
    if (text.size() < kEmitBytes) continue;
    MR_TRY(out.write(text));
    text.clear();
  }
  return out.write(text + "]\n");
}

// RFC 4180, with plain line ends. NULL is empty, an empty text is "".
void append_csv(std::string_view value, bool is_null, std::string& to) {
  if (is_null) return;
  if (!value.empty() && value.find_first_of(",\"\r\n") == value.npos) {
    to += value;
    return;
  }
  to += '"';
  for (char c : value) to.append(c == '"' ? 2 : 1, c);
  to += '"';
}

Result<void> print_csv(const Rows& rows, Output& out) {
  std::string text;
  for (size_t i = 0; i < rows.names.size(); ++i) {
    text += i == 0 ? "" : ",";
    append_csv(rows.names[i], false, text);
  }
  text += '\n';
  for (const auto& row : rows.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      text += i == 0 ? "" : ",";
      append_csv(content_of(row[i]), row[i] == "null", text);
    }
    text += '\n';
    if (text.size() < kEmitBytes) continue;
    MR_TRY(out.write(text));
    text.clear();
  }
  return out.write(text);
}

Result<void> print(const Rows& rows, Session& session) {
  switch (session.format()) {
    case Format::kText:
      return print_text(rows, session.out());
    case Format::kJson:
      return print_json(rows, session.out());
    case Format::kCsv:
      return print_csv(rows, session.out());
  }
  return {};
}

Result<std::string> read_stdin() {
  std::string text;
  char bytes[1 << 16];
  while (size_t count = std::fread(bytes, 1, sizeof bytes, stdin)) text.append(bytes, count);
  if (std::ferror(stdin) != 0) return fail(ErrorCode::kIo, "cannot read the SQL from stdin");
  return text;
}

Result<int> run_sql(Session& session, std::string sql) {
  if (sql == "-") sql = MR_TRY(read_stdin());
  if (!is_utf8(sql)) return fail(ErrorCode::kInvalid, "the SQL is not UTF-8");
  auto client = MR_TRY(session.client());
  auto body = nlohmann::json{{"sql", std::move(sql)}}.dump();
  auto answer = MR_TRY(client.post("/v1/sql", std::move(body)));
  auto rows = MR_TRY(rows_of(answer.json()));
  MR_TRY(print(rows, session));
  MR_TRY(session.out().flush());
  if (session.out().terminal().is_terminal && session.format() == Format::kText) {
    session.note(fmt::format(
        "{}, {:.1f} ms", count_of(static_cast<int64_t>(rows.rows.size()), "row"), rows.elapsed_ms));
  }
  if (rows.truncated) {
    session.complain(fmt::format("the answer was cut after {}: add a LIMIT or select less",
                                 count_of(static_cast<int64_t>(rows.rows.size()), "row")));
  }
  if (rows.undecodable > 0) {
    session.complain(fmt::format("{} of topics could not be decoded and made no row",
                                 count_of(rows.undecodable, "record")));
  }
  return rows.truncated || rows.undecodable > 0 ? 1 : 0;
}

}  // namespace

void add_sql_command(Commands& commands) {
  auto sql = std::make_shared<std::string>();
  auto run = [sql](Session& session) { return run_sql(session, *sql); };
  auto* app = commands.add(nullptr, "sql", "Run a SELECT over tables and topics", run, true);
  app->add_option("SQL", *sql,
                  R"("SELECT …", or - to read it from stdin; tables are keyspace.table, )"
                  "topics go by their names")
      ->required();
}

}  // namespace millrace::cli
