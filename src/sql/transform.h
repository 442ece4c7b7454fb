// A pipeline's SELECT over batches of records.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "schema/type.h"
#include "sql/avro_schemas.h"
#include "sql/engine.h"
#include "sql/vector.h"

namespace millrace::sql {

// What is wrong with a piece of SQL, and where: a byte position in its text.
struct SqlProblem {
  enum class Part : uint8_t { kSelect, kExpectation, kTtl };
  Part part = Part::kSelect;
  size_t expectation = 0;  // which, for kExpectation
  size_t position = 0;
  std::string message;
};

// A named condition over the SELECT's columns; a row passes when it is true (not false, not NULL).
struct Condition {
  std::string name;
  std::string sql;
};

struct TransformSpec {
  std::string input;        // the name that FROM reads: a source or a topic
  schema::Columns columns;  // of the input's records
  std::string select;
  std::vector<Condition> expectations;
  // How long a row lives, of the SELECT's columns: a whole number of seconds or an INTERVAL; NULL:
  // for ever. Empty: all rows do.
  std::string ttl;
  std::shared_ptr<const AvroSchemas> avro;  // of the records; nullptr: they are JSON
};

// The rule that a row fails whose TTL is not 1 to limits::kTtlSecondsMax.
inline constexpr std::string_view kTtlRule = "ttl";

enum class Stage : uint8_t { kDecode, kSql, kExpect };
std::string_view to_string(Stage stage);  // "decode", "sql", "expect"

// The name that a pipeline's SELECT reads FROM; what is wrong where it reads more or nothing.
std::expected<std::string, SqlProblem> input_of(Engine& engine, std::string_view select);

// A record that became no row because it is wrong.
struct Failure {
  size_t record = 0;  // its position in the batch
  Stage stage = Stage::kDecode;
  std::string rule;  // the expectation's name, for kExpect
  std::string error;
};

// Rows that one batch made, in its order. Each row says which record it came from.
class TransformOutput {
 public:
  virtual ~TransformOutput() = default;
  // `rows.columns`: those of Transform::columns(); where the spec has a TTL, one more, the seconds
  // as a BIGINT. `record_of[i]`: the position in the batch of the record that row i came from;
  // ascending over all calls of one run. All rows of a record that failed are left out by `keep`
  // (0: leave out).
  virtual Result<void> rows(const Rows& rows, std::span<const int32_t> record_of,
                            std::span<const uint8_t> keep) = 0;
};

// Compiled SELECT: any expressions, functions, WHERE and UNNEST over the columns of one record; no
// aggregates, windows, DISTINCT, ORDER BY, LIMIT, joins or subqueries, which need more than one.
class Transform {
 public:
  // On failure, what is wrong with the SQL.
  static std::expected<Transform, SqlProblem> prepare(Engine& engine, TransformSpec spec);
  ~Transform();
  Transform(Transform&&) noexcept;
  Transform& operator=(Transform&&) noexcept;

  // Columns of the output.
  const schema::Columns& columns() const;
  // The input's column that the output's column `name` is, unchanged; nullopt: it is none, or the
  // SELECT makes something of it.
  std::optional<std::string> input_column(std::string_view name) const;

  struct Counts {
    size_t passed = 0;    // records with at least one row, none of them failing
    size_t filtered = 0;  // records without rows
    size_t failed = 0;    // passed + filtered + failed = records
  };
  // From now on records are JSON, whatever the spec says: those that tests of a pipeline are given.
  void take_json();
  // Runs the batch `records` (values, each followed by kJsonPadding readable bytes; nullopt: a
  // tombstone, which is filtered). Failures are added to `failures`, in order.
  // Errors: those of `output`.
  Result<Counts> run(std::span<const std::optional<std::string_view>> records,
                     TransformOutput& output, std::vector<Failure>& failures);

  struct Impl;

 private:
  explicit Transform(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::sql
