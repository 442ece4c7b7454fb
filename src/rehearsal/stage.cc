#include "rehearsal/stage.h"

#include <algorithm>
#include <optional>
#include <span>

#include "rehearsal/played.h"
#include "sql/json_writer.h"
#include "sql/transform.h"

namespace millrace::rehearsal {
namespace {

using spec::Problem;

// Beside spec::kDeadLetterColumns, for people to see.
constexpr const char* kRecordColumn = "record";
constexpr size_t kErrorColumn = 2;

const char* const kNull = "null";

std::string json_string(std::string_view text) {
  std::string json;
  sql::append_json_string(text, json);
  return json;
}

std::vector<size_t> positions_of(const std::vector<std::string>& names,
                                 const schema::Columns& columns) {
  std::vector<size_t> positions;
  for (const auto& name : names)
    positions.push_back(static_cast<size_t>(std::ranges::find(columns, name, &schema::Field::name) -
                                            columns.begin()));
  return positions;
}

// Rows as a table has them: one for each key, NULL leaving what was there.
std::vector<Row> upserted(std::vector<Row> rows, const std::vector<size_t>& key) {
  std::vector<Row> kept;
  std::map<Row, size_t> kept_at;  // by the key's values
  for (auto& row : rows) {
    Row values;
    for (size_t column : key) values.push_back(row[column]);
    auto [at, fresh] = kept_at.emplace(std::move(values), kept.size());
    if (fresh) {
      kept.push_back(std::move(row));
      continue;
    }
    auto& old = kept[at->second];
    for (size_t i = 0; i < row.size(); ++i)
      if (row[i] != kNull) old[i] = std::move(row[i]);
  }
  return kept;
}

// A topic's records of rows.
std::string record_of(const Row& row, const schema::Columns& columns) {
  std::string record;
  for (size_t i = 0; i < row.size(); ++i) {
    record += i == 0 ? '{' : ',';
    sql::append_json_string(columns[i].name, record);
    record += ':';
    record += row[i];
  }
  return record + "}";
}

std::vector<Row> dead_letters_of(const std::vector<sql::Failure>& failures,
                                 std::span<const std::string> records) {
  std::vector<Row> letters;
  for (const auto& failure : failures)
    letters.push_back({json_string(failure.rule), json_string(to_string(failure.stage)),
                       json_string(failure.error), records[failure.record]});
  return letters;
}

// Whether an error's text has the text wanted in it; both are JSON strings.
bool has_part(std::string_view error, std::string_view part) {
  return error.contains(part.substr(1, part.size() - 2));
}

// What compare() looks at.
struct Comparison {
  const std::string& node;
  bool dead_letter;
  spec::Place place;  // of what names the node, if anything does
  const std::vector<WantedRow>& wanted;
  const std::vector<Row>& rows;
  const std::vector<size_t>& key;
  std::vector<std::string> columns;
};

void compare(const Comparison& of, std::vector<Difference>& differences) {
  auto equal = [&](const WantedCell& wanted, const Row& row) {
    const auto& got = row[wanted.first];
    if (of.dead_letter && wanted.first == kErrorColumn) return has_part(got, wanted.second);
    return got == wanted.second;
  };
  auto found = match(of.wanted, of.rows, of.key, equal);
  std::vector<bool> meant(of.rows.size());
  for (size_t i = 0; i < of.wanted.size(); ++i) {
    auto row = found.row_of[i];
    if (row) meant[*row] = true;
    if (found.exact[i]) continue;
    auto& difference = differences.emplace_back(
        row ? Difference::Kind::kChanged : Difference::Kind::kMissing, of.node, of.dead_letter,
        of.wanted[i].place, std::vector<Difference::Column>{});
    for (const auto& cell : of.wanted[i].cells)
      difference.columns.push_back({of.columns[cell.first], cell.second,
                                    row ? of.rows[*row][cell.first] : "",
                                    row && equal(cell, of.rows[*row])});
  }
  for (size_t j = 0; j < of.rows.size(); ++j) {
    if (meant[j]) continue;
    auto& difference = differences.emplace_back(Difference::Kind::kExtra, of.node, of.dead_letter,
                                                of.place, std::vector<Difference::Column>{});
    for (size_t column = 0; column < of.rows[j].size(); ++column)
      difference.columns.push_back({of.columns[column], "", of.rows[j][column], false});
  }
}

}  // namespace

Stage::Stage(sql::Engine& engine, const spec::Pipeline& pipeline, pipeline::Plan& plan,
             std::vector<Problem>& problems)
    : pipeline_(pipeline), plan_(plan) {
  for (const auto& source : plan.sources)
    relations_[source.topic.name] = {source.topic.name, source.topic.columns, {}};
  for (const auto& table : plan.tables) {
    const auto& definition = table.definition;
    auto names = definition.partition_key;
    std::ranges::copy(definition.clustering_key, std::back_inserter(names));
    relations_[table.spec.full_name()] = {table.spec.full_name(), definition.columns,
                                          positions_of(names, definition.columns)};
  }
  for (const auto& [name, relation] : relations_) read_all_wanted(engine, relation, problems);
  for (const auto& test : pipeline.tests) {
    for (const auto& want : test.dead_letters)
      wanted_[&want] = read_wanted_dead_letters(want, problems);
    for (const auto& want : test.want)
      if (!relations_.contains(want.name))
        problems.push_back({Problem::Severity::kError, want.place,
                            fmt::format("no source here feeds topic '{}', so there is no SQL whose "
                                        "records a test could want",
                                        want.name)});
  }
}

void Stage::read_all_wanted(sql::Engine& engine, const Relation& relation,
                            std::vector<Problem>& problems) {
  std::vector<const spec::TestRows*> of_tests;
  for (const auto& test : pipeline_.tests)
    for (const auto& want : test.want)
      if (want.name == relation.name) of_tests.push_back(&want);
  auto wanted = read_wanted(engine, relation, of_tests, problems);
  for (size_t i = 0; i < of_tests.size(); ++i) wanted_[of_tests[i]] = std::move(wanted[i]);
}

Result<void> Stage::play_source(pipeline::SourcePlan& source, const spec::TestInput& given,
                                Played& played) {
  PaddedRecords items(given.values);
  PlayedRows made;
  std::vector<sql::Failure> failures;
  auto counts = MR_TRY(source.transform.run(items.views(), made, failures));
  if (counts.filtered > 0) played.outcome.filtered.emplace_back(source.spec.name, counts.filtered);
  played.dead_letters[source.spec.name] = dead_letters_of(failures, given.values);
  auto& records = played.records[source.topic.name];
  for (const auto& row : made.played) records.push_back(record_of(row, source.topic.columns));
  played.rows[source.topic.name] = std::move(made.played);
  return {};
}

Result<void> Stage::play_table(pipeline::TablePlan& table, Played& played) {
  auto name = table.spec.full_name();
  const auto& values = played.records[table.topic.name];
  PaddedRecords records(values);
  PlayedRows made;
  std::vector<sql::Failure> failures;
  table.transform.take_json();  // the records of a topic of Avro are given as YAML too
  auto counts = MR_TRY(table.transform.run(records.views(), made, failures));
  for (auto& row : made.played) row.resize(table.transform.columns().size());  // without a TTL
  if (counts.filtered > 0) played.outcome.filtered.emplace_back(name, counts.filtered);
  played.dead_letters[name] = dead_letters_of(failures, values);
  played.rows[name] = upserted(std::move(made.played), relations_.at(name).key);
  return {};
}

void Stage::compare_rows(const spec::TestRows& want, Played& played) {
  const auto& relation = relations_.at(want.name);
  std::vector<std::string> columns;
  for (const auto& column : relation.columns) columns.push_back(column.name);
  compare({.node = want.name,
           .dead_letter = false,
           .place = want.place,
           .wanted = wanted_.at(&want),
           .rows = played.rows[want.name],
           .key = relation.key,
           .columns = std::move(columns)},
          played.outcome.differences);
}

// Those of every node that was played, whether the test names it or not.
void Stage::compare_dead_letters(const spec::TestSpec& test, Played& played) {
  static const std::vector<WantedRow> kNone;
  std::vector<std::string> columns(std::begin(spec::kDeadLetterColumns),
                                   std::end(spec::kDeadLetterColumns));
  columns.emplace_back(kRecordColumn);
  for (const auto& [node, letters] : played.dead_letters) {
    auto named = std::ranges::find(test.dead_letters, node, &spec::TestRows::name);
    bool is_named = named != test.dead_letters.end();
    compare({.node = node,
             .dead_letter = true,
             .place = is_named ? named->place : test.place,
             .wanted = is_named ? wanted_.at(&*named) : kNone,
             .rows = letters,
             .key = {},
             .columns = columns},
            played.outcome.differences);
  }
}

Result<Outcome> Stage::run(const spec::TestSpec& test) {
  auto started = std::chrono::steady_clock::now();
  Played played;
  played.outcome.name = test.name;
  played.outcome.place = test.place;
  auto given_to = [&](const std::string& name) {
    return std::ranges::find(test.given, name, &spec::TestInput::name);
  };
  auto is_wanted = [&](const std::string& name) {
    auto names = [&](const auto& rows) {
      return std::ranges::find(rows, name, &spec::TestRows::name) != rows.end();
    };
    return names(test.want) || names(test.dead_letters);
  };
  for (auto& source : plan_.sources) {
    auto given = given_to(source.spec.name);
    if (given != test.given.end()) {
      MR_TRY(play_source(source, *given, played));
    } else if (is_wanted(source.spec.name)) {
      MR_TRY(play_source(source, {}, played));
    }
  }
  // Where a source and a topic have one name, the source is meant.
  for (const auto& given : test.given)
    if (!played.dead_letters.contains(given.name))
      std::ranges::copy(given.values, std::back_inserter(played.records[given.name]));
  // A table that nothing names may refuse what it gets, too.
  for (auto& table : plan_.tables)
    if (is_wanted(table.spec.full_name()) || played.records.contains(table.topic.name))
      MR_TRY(play_table(table, played));
  for (const auto& want : test.want) compare_rows(want, played);
  compare_dead_letters(test, played);
  played.outcome.took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - started);
  return std::move(played.outcome);
}

}  // namespace millrace::rehearsal
