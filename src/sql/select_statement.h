// A pipeline's SELECT as DuckDB parses it: what it may contain, what it reads, and the same with
// the record's position as one more column. Inside sql/ only.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "schema/type.h"
#include "sql/connection.h"
#include "sql/transform.h"

namespace millrace::sql {

// The hidden column of a transform's input: the record's position in its batch.
inline constexpr std::string_view kRecordColumn = "__millrace_record";

class SelectStatement {
 public:
  // Parses, and refuses what needs more than one record.
  static std::expected<SelectStatement, SqlProblem> parse(Connection& connection,
                                                          std::string_view sql);
  // The same, and it must read `input`, which it reads too where it has no FROM.
  static std::expected<SelectStatement, SqlProblem> parse(Connection& connection,
                                                          std::string_view sql,
                                                          std::string_view input);
  // The name after FROM.
  const std::string& input() const { return input_; }
  // The statement with its FROM, and how many bytes of it were put before the user's own.
  const std::string& text() const { return text_; }
  size_t added() const { return added_; }

  // Of `columns`, and inside their STRUCTs, what the statement may read; everything where a `*`
  // stands in it.
  schema::Columns columns_read(const schema::Columns& columns) const;

  // Which of the input's `columns` the output's column `output` is, unchanged; nullopt: none.
  std::optional<std::string> input_column(const schema::Columns& columns,
                                          std::string_view output) const;

  // The input's own name used as a value, which would be a STRUCT of all columns and of
  // kRecordColumn too.
  std::optional<SqlProblem> whole_record(const schema::Columns& columns) const;

  // SQL of the statement with kRecordColumn as its last column.
  Result<std::string> with_record_column(Connection& connection) const;

 private:
  SelectStatement(nlohmann::json tree, std::string text, size_t added);
  const nlohmann::json& select() const { return tree_["statements"][0]["node"]; }

  nlohmann::json tree_;
  std::string input_;
  std::string text_;
  size_t added_;
};

// The byte position that DuckDB's "LINE n: … ^" in `error` points at in `sql`; 0 if it has none.
size_t error_position(std::string_view error, std::string_view sql);
// The error's own words: without its kind ("Binder Error: ") and without the marked line.
std::string error_words(std::string_view error);

}  // namespace millrace::sql
