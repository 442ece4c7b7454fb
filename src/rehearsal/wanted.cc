#include "rehearsal/wanted.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "rehearsal/played.h"
#include "sql/json_writer.h"
#include "sql/transform.h"

namespace millrace::rehearsal {
namespace {

using spec::Problem;

// The name of the input that wanted values are read from.
constexpr const char* kInput = "wanted";

void report(std::vector<Problem>& problems, const spec::Place& place, std::string message) {
  problems.push_back({Problem::Severity::kError, place, std::move(message)});
}

// A wanted value on its way to its column's type.
struct Cell {
  const spec::TestCell* spec;
  size_t column;
  WantedRow* row;
};

void report_unknown(const Relation& relation, const spec::TestCell& cell,
                    std::vector<Problem>& problems) {
  std::vector<std::string> names;
  for (const auto& column : relation.columns) names.push_back(column.name);
  auto meant = did_you_mean(cell.column, names);
  report(problems, cell.place,
         fmt::format("{} has no column '{}'; {}", relation.name, excerpt(cell.column, 60),
                     meant.empty() ? fmt::format("it has {}", fmt::join(names, ", "))
                                   : fmt::format("did you mean '{}'?", meant)));
}

// The decoder's words, "post_code: expected a string, got a number 1011", and what to do.
std::string words_for(const Cell& cell, const schema::Field& column, const std::string& error) {
  bool lacks_quotes =
      column.type.kind == schema::Kind::kVarchar &&
      std::string_view("-0123456789tf").find(cell.spec->json.front()) != std::string_view::npos;
  return fmt::format("{}; the column is {}{}", error, schema::to_sql(column.type),
                     lacks_quotes ? fmt::format(": write \"{}\"", cell.spec->json) : "");
}

// Every cell is a record of its own, so that each has its own error.
void decode(sql::Engine& engine, const Relation& relation, const std::vector<Cell>& cells,
            std::vector<Problem>& problems) {
  auto columns = relation.columns;
  for (auto& column : columns) column.nullable = true, column.required = false;
  auto transform = sql::Transform::prepare(engine, {.input = kInput,
                                                    .columns = std::move(columns),
                                                    .select = "SELECT * FROM wanted",
                                                    .expectations = {}});
  if (!transform) return report(problems, cells.front().spec->place, transform.error().message);

  std::vector<std::string> texts;
  for (const auto& cell : cells) {
    auto& text = texts.emplace_back("{");
    sql::append_json_string(cell.spec->column, text);
    text += ":" + cell.spec->json + "}";
  }
  PlayedRows rows;
  std::vector<sql::Failure> failures;
  PaddedRecords records(texts);
  auto ran = transform->run(records.views(), rows, failures);
  if (!ran) return report(problems, cells.front().spec->place, ran.error().message());
  for (const auto& failure : failures) {
    const auto& cell = cells[failure.record];
    report(problems, cell.spec->place,
           words_for(cell, relation.columns[cell.column], failure.error));
  }
  for (size_t i = 0; i < rows.played.size(); ++i) {
    const auto& cell = cells[rows.record_of[i]];
    cell.row->cells.emplace_back(cell.column, rows.played[i][cell.column]);
  }
}

}  // namespace

std::vector<std::vector<WantedRow>> read_wanted(sql::Engine& engine, const Relation& relation,
                                                std::span<const spec::TestRows* const> of_tests,
                                                std::vector<Problem>& problems) {
  std::vector<std::vector<WantedRow>> wanted;
  std::vector<Cell> cells;
  for (const auto* test : of_tests) {
    auto& rows = wanted.emplace_back(test->rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].place = test->rows[i].place;
      for (const auto& cell : test->rows[i].cells) {
        auto column = std::ranges::find(relation.columns, cell.column, &schema::Field::name);
        if (column == relation.columns.end())
          report_unknown(relation, cell, problems);
        else
          cells.push_back(
              {&cell, static_cast<size_t>(column - relation.columns.begin()), &rows[i]});
      }
    }
  }
  if (!cells.empty()) decode(engine, relation, cells, problems);
  return wanted;
}

std::vector<WantedRow> read_wanted_dead_letters(const spec::TestRows& rows,
                                                std::vector<Problem>& problems) {
  std::vector<WantedRow> wanted;
  for (const auto& row : rows.rows) {
    auto& cells = wanted.emplace_back(row.place, std::vector<WantedCell>{}).cells;
    for (const auto& cell : row.cells) {
      auto column = std::ranges::find(spec::kDeadLetterColumns, cell.column);
      auto value = nlohmann::json::parse(cell.json, nullptr, false);
      if (!value.is_string()) {
        report(problems, cell.place,
               fmt::format("a dead letter's {} is text, not {}", cell.column, cell.json));
        continue;
      }
      std::string text;
      sql::append_json_string(value.get<std::string>(), text);
      cells.emplace_back(std::distance(std::begin(spec::kDeadLetterColumns), column),
                         std::move(text));
    }
  }
  return wanted;
}

}  // namespace millrace::rehearsal
