#include "sql/transform.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "sql/connection.h"
#include "sql/record_format.h"
#include "sql/select_statement.h"

namespace millrace::sql {
namespace {

// Of an error's text, which may quote the record: a dead letter has the record itself.
constexpr size_t kErrorBytesMax = size_t{4} << 10;

// Of a prepared statement, before another takes its place.
constexpr size_t kExecutionsMax = 1'000;

std::string shortened(const std::string& error) {
  return error.size() <= kErrorBytesMax ? error : excerpt(error, kErrorBytesMax);
}

}  // namespace

// A row of the output comes from one record; a record's rows share its fate.
struct RecordState {
  uint32_t rows = 0;
  int32_t failed_expectation = -1;  // behind the last one: the TTL
  int64_t ttl_s = 0;                // for that
};

struct Transform::Impl {
  Impl(Connection c, TransformSpec s) : connection(std::move(c)), spec(std::move(s)) {}

  Connection connection;
  TransformSpec spec;
  std::string function_name;
  std::string query;
  Statement statement;                             // of `query`
  size_t executions = 0;                           // of the statement
  schema::Columns columns;                         // of the output
  schema::Columns read_columns;                    // what is decoded
  std::vector<std::optional<std::string>> passed;  // by output column: the input's, unchanged
  std::vector<VectorWriter> writers;
  std::unique_ptr<RecordDecoder> decoder;

  // The slice being run: at most kChunkRows records, so one chunk.
  std::span<const std::optional<std::string_view>> records;
  size_t slice_begin = 0;
  size_t slice_end = 0;
  size_t next = 0;
  std::vector<Failure> slice_failures;
  std::vector<RecordState> states;

  std::optional<SqlProblem> compile();
  Result<void> prepare_again_in_time();
  Result<void> expose(const schema::Columns& input_columns);
  std::optional<SqlProblem> check_columns(duckdb_prepared_statement select);
  std::optional<SqlProblem> check_expectation(size_t i, const std::string& inner);
  std::expected<std::string, SqlProblem> seconds_of_ttl(const std::string& inner);
  std::expected<Statement, SqlProblem> prepare_value(const std::string& value,
                                                     const std::string& inner, SqlProblem problem);
  Failure failure_of(size_t record, const RecordState& state) const;
  size_t fill(duckdb_data_chunk chunk);

  struct Execution {
    std::vector<DataChunk> chunks;
    std::string error;  // empty: it worked
  };
  Execution execute(size_t begin, size_t end);
  Result<void> run_slice(size_t begin, size_t end, TransformOutput& output, Counts& counts,
                         std::vector<Failure>& failures);
  Result<void> deliver(const Execution& execution, TransformOutput& output, Counts& counts,
                       std::vector<Failure>& failures);
  void judge(const VectorView& record_of, std::span<const VectorView> expectations,
             const VectorView* ttl, size_t rows);
};

namespace {

Transform::Impl* impl_of(void* pointer) {
  return static_cast<Transform::Impl*>(pointer);
}

void bind_input(duckdb_bind_info info) {
  auto* impl = impl_of(duckdb_bind_get_extra_info(info));
  for (const auto& column : impl->read_columns) {
    auto type = to_duckdb(column.type);
    duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
  }
  LogicalType integer(duckdb_create_logical_type(DUCKDB_TYPE_INTEGER));
  duckdb_bind_add_result_column(info, std::string(kRecordColumn).c_str(), integer.get());
}

void init_input(duckdb_init_info info) {
  duckdb_init_set_max_threads(info, 1);
}

void fill_input(duckdb_function_info info, duckdb_data_chunk chunk) {
  auto* impl = impl_of(duckdb_function_get_extra_info(info));
  duckdb_data_chunk_set_size(chunk, impl->fill(chunk));
}

}  // namespace

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::kDecode:
      return "decode";
    case Stage::kSql:
      return "sql";
    case Stage::kExpect:
      return "expect";
  }
  return "";
}

// Makes the input readable under its name, with these columns.
Result<void> Transform::Impl::expose(const schema::Columns& input_columns) {
  read_columns = input_columns;
  return connection.run(fmt::format("CREATE OR REPLACE TEMP VIEW {} AS SELECT * FROM {}()",
                                    quote_identifier(spec.input), function_name));
}

std::optional<SqlProblem> Transform::Impl::compile() {
  auto select = SelectStatement::parse(connection, spec.select, spec.input);
  if (!select) return select.error();
  if (auto problem = select->whole_record(spec.columns)) {
    problem->position -= std::min(problem->position, select->added());
    return problem;
  }
  auto as_problem = [&](const Error& error) {
    if (error.message().contains("must appear in the GROUP BY clause"))
      return SqlProblem{.message =
                            "a pipeline's SELECT makes rows of one record at a time, so it "
                            "has no aggregates, such as count() or sum()"};
    size_t position = error_position(error.message(), select->text());
    return SqlProblem{.position = position - std::min(position, select->added()),
                      .message = error_words(error.message())};
  };
  function_name = connection.unique_name();
  TableFunction function(duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), function_name.c_str());
  duckdb_table_function_set_extra_info(function.get(), this, nullptr);
  duckdb_table_function_set_bind(function.get(), bind_input);
  duckdb_table_function_set_init(function.get(), init_input);
  duckdb_table_function_set_function(function.get(), fill_input);
  duckdb_register_table_function(connection.get(), function.get());

  // First with all columns and the user's own text, for errors with the right place and choices.
  if (auto done = expose(spec.columns); !done) return as_problem(done.error());
  auto tried = connection.prepare(select->text());
  if (!tried) return as_problem(tried.error());
  if (auto problem = check_columns(tried->get())) return problem;
  for (const auto& column : columns)
    passed.push_back(select->input_column(spec.columns, column.name));

  if (auto done = expose(select->columns_read(spec.columns)); !done)
    return as_problem(done.error());
  auto inner = select->with_record_column(connection);
  if (!inner) return as_problem(inner.error());
  if (auto whole = connection.prepare(*inner); !whole) return as_problem(whole.error());
  std::string expectations;
  for (size_t i = 0; i < spec.expectations.size(); ++i) {
    if (auto problem = check_expectation(i, *inner)) return problem;
    expectations += fmt::format(", coalesce(({}\n), false)", spec.expectations[i].sql);
  }
  std::string ttl;
  if (!spec.ttl.empty()) {
    auto seconds = seconds_of_ttl(*inner);
    if (!seconds) return seconds.error();
    ttl = ", " + *seconds;
  }
  query = fmt::format("SELECT *{}{} FROM ({})", expectations, ttl, *inner);
  auto prepared = connection.prepare(query);
  if (!prepared) return as_problem(prepared.error());
  statement = *std::move(prepared);
  if (duckdb_prepared_statement_column_count(statement.get()) !=
      columns.size() + 1 + spec.expectations.size() + (ttl.empty() ? 0 : 1))
    return SqlProblem{.message =
                          "COLUMNS with a pattern cannot be used here, a lambda can: "
                          "COLUMNS(c -> regexp_matches(c, '…'))"};
  for (const auto& column : read_columns) writers.emplace_back(column.type);
  decoder = make_decoder(read_columns, spec.avro);
  return std::nullopt;
}

// Takes the output's columns from the user's own SELECT.
std::optional<SqlProblem> Transform::Impl::check_columns(duckdb_prepared_statement select) {
  auto selected = columns_of(select);
  if (!selected) return SqlProblem{.message = selected.error().message()};
  columns = *std::move(selected);
  std::erase_if(columns, [](const auto& column) { return column.name == kRecordColumn; });
  for (size_t i = 0; i < columns.size(); ++i)
    for (size_t j = i + 1; j < columns.size(); ++j)
      if (columns[i].name == columns[j].name)
        return SqlProblem{.message = fmt::format("two columns are called '{}': rename one with AS",
                                                 columns[i].name)};
  return std::nullopt;
}

// Prepares a value over the columns of `inner`. `problem` is filled with what is wrong.
std::expected<Statement, SqlProblem> Transform::Impl::prepare_value(const std::string& value,
                                                                    const std::string& inner,
                                                                    SqlProblem problem) {
  constexpr std::string_view kBefore = "SELECT (";
  auto wrong = [&](size_t position, std::string message) {
    problem.position = position < kBefore.size() ? 0 : position - kBefore.size();
    problem.message = std::move(message);
    return std::unexpected(std::move(problem));
  };
  auto alone = SelectStatement::parse(
      connection, fmt::format("{}{}\n) FROM {}", kBefore, value, quote_identifier(spec.input)),
      spec.input);
  if (!alone) return wrong(alone.error().position, alone.error().message);
  std::string sql = fmt::format("{}{}\n) FROM ({})", kBefore, value, inner);
  auto prepared = connection.prepare(sql);
  if (!prepared)
    return wrong(error_position(prepared.error().message(), sql),
                 error_words(prepared.error().message()));
  if (duckdb_prepared_statement_column_count(prepared->get()) != 1)
    return wrong(0, "this must be one value");
  // UNNEST would make several rows of one; nothing of the kind may stand in a WHERE.
  auto filter = fmt::format("SELECT 1 FROM ({}) WHERE (({}\n) IS NULL)", inner, value);
  if (auto as_filter = connection.prepare(filter); !as_filter)
    return wrong(0, error_words(as_filter.error().message()));
  return *std::move(prepared);
}

std::optional<SqlProblem> Transform::Impl::check_expectation(size_t i, const std::string& inner) {
  SqlProblem problem{.part = SqlProblem::Part::kExpectation, .expectation = i};
  auto condition = prepare_value(spec.expectations[i].sql, inner, problem);
  if (!condition) return condition.error();
  if (duckdb_prepared_statement_column_type(condition->get(), 0) == DUCKDB_TYPE_BOOLEAN)
    return std::nullopt;
  problem.message = "an expectation must be one condition that is true or false";
  return problem;
}

// SQL of the TTL in seconds, as a BIGINT.
std::expected<std::string, SqlProblem> Transform::Impl::seconds_of_ttl(const std::string& inner) {
  SqlProblem problem{.part = SqlProblem::Part::kTtl};
  auto ttl = prepare_value(spec.ttl, inner, problem);
  if (!ttl) return std::unexpected(ttl.error());
  switch (duckdb_prepared_statement_column_type(ttl->get(), 0)) {
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
      return fmt::format("({}\n)::BIGINT", spec.ttl);
    case DUCKDB_TYPE_INTERVAL:
      return fmt::format("ceil(epoch(({}\n)))::BIGINT", spec.ttl);
    default:
      problem.message =
          "a TTL must be a whole number of seconds (up to BIGINT) or an INTERVAL, such as INTERVAL "
          "30 DAYS";
      return std::unexpected(problem);
  }
}

// Decodes the slice's records into the input chunk; returns its rows.
size_t Transform::Impl::fill(duckdb_data_chunk chunk) {
  if (next == slice_end) return 0;
  for (size_t i = 0; i < writers.size(); ++i)
    writers[i].bind(duckdb_data_chunk_get_vector(chunk, i));
  auto* record_of = static_cast<int32_t*>(
      duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, writers.size())));
  decoder->begin(writers);
  size_t row = 0;
  for (; next < slice_end; ++next) {
    if (!records[next]) continue;  // a tombstone
    if (decoder->decode(*records[next], row)) {
      record_of[row++] = static_cast<int32_t>(next);
    } else {
      slice_failures.push_back({next, Stage::kDecode, "", shortened(decoder->error())});
    }
  }
  for (auto& writer : writers) writer.finish();
  return row;
}

// DuckDB 1.4 keeps about 3 KB of each execution for as long as the statement lives.
Result<void> Transform::Impl::prepare_again_in_time() {
  if (executions < kExecutionsMax) return {};
  statement = MR_TRY(connection.prepare(query));
  executions = 0;
  return {};
}

Transform::Impl::Execution Transform::Impl::execute(size_t begin, size_t end) {
  ++executions;
  slice_begin = next = begin;
  slice_end = end;
  slice_failures.clear();
  Execution execution;
  ResultStream stream;
  if (duckdb_execute_prepared_streaming(statement.get(), stream.get()) == DuckDBError) {
    execution.error = duckdb_result_error(stream.get());
    return execution;
  }
  while (true) {
    auto chunk = stream.fetch();
    if (!chunk) {
      execution.error = chunk.error().message();
      return execution;
    }
    if (!*chunk) return execution;
    execution.chunks.push_back(*std::move(chunk));
  }
}

Result<void> Transform::Impl::run_slice(size_t begin, size_t end, TransformOutput& output,
                                        Counts& counts, std::vector<Failure>& failures) {
  auto execution = execute(begin, end);
  if (execution.error.empty()) return deliver(execution, output, counts, failures);
  if (end - begin == 1) {
    failures.push_back({begin, Stage::kSql, "", shortened(error_words(execution.error))});
    ++counts.failed;
    return {};
  }
  // Some record makes the SQL fail; halves find which, and all others go on.
  execution.chunks.clear();
  size_t middle = begin + (end - begin) / 2;
  MR_TRY(run_slice(begin, middle, output, counts, failures));
  return run_slice(middle, end, output, counts, failures);
}

// Notes which records have rows, and which of them fail an expectation or have no good TTL.
void Transform::Impl::judge(const VectorView& record_of, std::span<const VectorView> expectations,
                            const VectorView* ttl, size_t rows) {
  for (size_t row = 0; row < rows; ++row) {
    auto& state = states[static_cast<size_t>(record_of.value<int32_t>(row)) - slice_begin];
    ++state.rows;
    for (size_t i = 0; i < expectations.size() && state.failed_expectation < 0; ++i)
      if (!expectations[i].value<bool>(row)) state.failed_expectation = static_cast<int32_t>(i);
    if (ttl == nullptr || !ttl->valid(row) || state.failed_expectation >= 0) continue;
    state.ttl_s = ttl->value<int64_t>(row);
    if (state.ttl_s < 1 || state.ttl_s > limits::kTtlSecondsMax)
      state.failed_expectation = static_cast<int32_t>(expectations.size());
  }
}

Failure Transform::Impl::failure_of(size_t record, const RecordState& state) const {
  auto i = static_cast<size_t>(state.failed_expectation);
  if (i == spec.expectations.size())
    return {record, Stage::kExpect, std::string(kTtlRule),
            fmt::format("a TTL is 1 to {} seconds, not {}", limits::kTtlSecondsMax, state.ttl_s)};
  const auto& rule = spec.expectations[i];
  return {record, Stage::kExpect, rule.name, fmt::format("{} is not true", rule.sql)};
}

Result<void> Transform::Impl::deliver(const Execution& execution, TransformOutput& output,
                                      Counts& counts, std::vector<Failure>& failures) {
  static const schema::Type kInteger{.kind = schema::Kind::kInteger};
  static const schema::Type kBoolean{.kind = schema::Kind::kBoolean};
  static const schema::Type kBigInt{.kind = schema::Kind::kBigInt};
  states.assign(slice_end - slice_begin, RecordState{});
  auto vector = [](const DataChunk& chunk, size_t i) {
    return duckdb_data_chunk_get_vector(chunk.get(), i);
  };
  for (const auto& chunk : execution.chunks) {
    std::vector<VectorView> expectations;
    for (size_t i = 0; i < spec.expectations.size(); ++i)
      expectations.emplace_back(kBoolean, vector(chunk, columns.size() + 1 + i));
    std::optional<VectorView> ttl;
    if (!spec.ttl.empty())
      ttl.emplace(kBigInt, vector(chunk, columns.size() + 1 + expectations.size()));
    judge(VectorView(kInteger, vector(chunk, columns.size())), expectations, ttl ? &*ttl : nullptr,
          duckdb_data_chunk_get_size(chunk.get()));
  }

  std::vector<uint8_t> keep;
  for (const auto& chunk : execution.chunks) {
    std::vector<VectorView> views;
    for (size_t i = 0; i < columns.size(); ++i)
      views.emplace_back(columns[i].type, vector(chunk, i));
    if (!spec.ttl.empty())
      views.emplace_back(kBigInt, vector(chunk, columns.size() + 1 + spec.expectations.size()));
    size_t rows = duckdb_data_chunk_get_size(chunk.get());
    const auto* record_of =
        static_cast<const int32_t*>(duckdb_vector_get_data(vector(chunk, columns.size())));
    keep.assign(rows, 1);
    for (size_t row = 0; row < rows; ++row)
      if (states[static_cast<size_t>(record_of[row]) - slice_begin].failed_expectation >= 0)
        keep[row] = 0;
    MR_TRY(output.rows({rows, views}, {record_of, rows}, keep));
  }

  counts.failed += slice_failures.size();
  counts.filtered += states.size() - slice_failures.size();
  for (size_t i = 0; i < states.size(); ++i) {
    if (states[i].rows == 0) continue;
    --counts.filtered;
    if (states[i].failed_expectation < 0) {
      ++counts.passed;
      continue;
    }
    slice_failures.push_back(failure_of(slice_begin + i, states[i]));
    ++counts.failed;
  }
  std::ranges::stable_sort(slice_failures, {}, &Failure::record);
  std::ranges::move(slice_failures, std::back_inserter(failures));
  return {};
}

std::expected<std::string, SqlProblem> input_of(Engine& engine, std::string_view select) {
  auto connection = Connection::open(engine);
  if (!connection) return std::unexpected(SqlProblem{.message = connection.error().message()});
  auto statement = SelectStatement::parse(*connection, select);
  if (!statement) return std::unexpected(statement.error());
  return statement->input();
}

std::expected<Transform, SqlProblem> Transform::prepare(Engine& engine, TransformSpec spec) {
  auto connection = Connection::open(engine);
  if (!connection) return std::unexpected(SqlProblem{.message = connection.error().message()});
  Transform transform(std::make_unique<Impl>(*std::move(connection), std::move(spec)));
  if (auto problem = transform.impl_->compile()) return std::unexpected(*std::move(problem));
  return transform;
}

Transform::Transform(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transform::~Transform() = default;
Transform::Transform(Transform&&) noexcept = default;
Transform& Transform::operator=(Transform&&) noexcept = default;

const schema::Columns& Transform::columns() const {
  return impl_->columns;
}

std::optional<std::string> Transform::input_column(std::string_view name) const {
  auto found = std::ranges::find(impl_->columns, name, &schema::Field::name);
  if (found == impl_->columns.end()) return std::nullopt;
  return impl_->passed[static_cast<size_t>(found - impl_->columns.begin())];
}

void Transform::take_json() {
  impl_->decoder = make_decoder(impl_->read_columns, nullptr);
}

Result<Transform::Counts> Transform::run(std::span<const std::optional<std::string_view>> records,
                                         TransformOutput& output, std::vector<Failure>& failures) {
  impl_->records = records;
  Counts counts;
  for (size_t begin = 0; begin < records.size(); begin += kChunkRows) {
    size_t end = std::min(begin + kChunkRows, records.size());
    MR_TRY(impl_->prepare_again_in_time());
    MR_TRY(impl_->run_slice(begin, end, output, counts, failures));
  }
  MR_CHECK(counts.passed + counts.filtered + counts.failed == records.size());
  return counts;
}

}  // namespace millrace::sql
