#include "cli/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "cli/session.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<Cell>>;

std::string text(const Json& json, const char* name) {
  return json.at(name).get<std::string>();
}

int64_t number(const Json& json, const char* name) {
  return json.at(name).get<int64_t>();
}

Cell count(const Json& json, const char* name) {
  return {with_thousands(number(json, name))};
}

// Those still open, which should be none, and how many are no longer.
Cell dead_letters(const Json& node) {
  auto open = number(node, "dead_letters");
  auto redriven = number(node, "redriven");
  auto text = with_thousands(open);
  if (redriven > 0) text += fmt::format(" ({} redriven)", with_thousands(redriven));
  return {text, open > 0 ? Look::kBad : Look::kPlain};
}

Cell state(const Json& node) {
  auto name = text(node, "state");
  bool is_bad = name == "waiting" || name == "stopped";
  auto look = name == "running" ? Look::kGood : is_bad ? Look::kBad : Look::kDim;
  return {name, look};
}

Cell rate(const Json& node) {
  return {rate_text(node.at("records_per_s").get<double>())};
}

int64_t missing_of_source(const Json& source) {
  return number(source, "items") - number(source, "records") - number(source, "filtered") -
         number(source, "dead_letters");
}

int64_t missing_of_table(const Json& table) {
  return number(table, "records_in") - number(table, "written") - number(table, "filtered") -
         number(table, "dead_letters") - number(table, "waiting") - number(table, "removed");
}

// Lines under a table for the nodes that have an error.
Result<void> print_errors(const Json& nodes, const Terminal& terminal, const Emit& emit) {
  for (const auto& node : nodes) {
    auto error = text(node, "error");
    if (error.empty()) continue;
    auto line = fmt::format("{}: {}", text(node, "name"), printable(error));
    MR_TRY(emit(paint(line, Look::kBad, terminal.colour) + "\n"));
  }
  return {};
}

// A line for each table that missed records.
Result<void> print_removed(const Json& tables, const Terminal& terminal, const Emit& emit) {
  for (const auto& table : tables) {
    auto removed = number(table, "removed");
    if (removed == 0) continue;
    auto line = fmt::format("{}: retention removed {} of {} before this table read them",
                            text(table, "name"), count_of(removed, "record"), text(table, "topic"));
    MR_TRY(emit(paint(line, Look::kBad, terminal.colour) + "\n"));
  }
  return {};
}

Result<void> print_sources(const Json& sources, const Terminal& terminal, const Emit& emit) {
  if (sources.empty()) return {};
  Rows rows;
  for (const auto& source : sources) {
    rows.push_back({{text(source, "name")},
                    {text(source, "topic")},
                    state(source),
                    count(source, "pages"),
                    count(source, "items"),
                    count(source, "records"),
                    count(source, "filtered"),
                    dead_letters(source),
                    rate(source)});
  }
  MR_TRY(emit("\n"));
  MR_TRY(print_table({{"SOURCE"},
                      {"TO", false, false, true},
                      {"STATE"},
                      {"PAGES", true},
                      {"ITEMS", true},
                      {"RECORDS", true},
                      {"FILTERED", true},
                      {"DEAD LETTERS", true},
                      {"RATE", true}},
                     rows, terminal, emit));
  return print_errors(sources, terminal, emit);
}

Result<void> print_topics(const Json& topics, const Terminal& terminal, const Emit& emit) {
  if (topics.empty()) return {};
  Rows rows;
  for (const auto& topic : topics) {
    rows.push_back({{text(topic, "name")},
                    count(topic, "partitions"),
                    count(topic, "records"),
                    {format_bytes(topic.at("bytes").get<uint64_t>())}});
  }
  MR_TRY(emit("\n"));
  MR_TRY(print_table({{"TOPIC"}, {"PARTITIONS", true}, {"RECORDS", true}, {"SIZE", true}}, rows,
                     terminal, emit));
  for (const auto& topic : topics) {
    auto table = text(topic, "retention_waits_for");
    if (table.empty()) continue;
    auto line = fmt::format("{}: retention waits for table {}", text(topic, "name"), table);
    MR_TRY(emit(paint(line, Look::kBad, terminal.colour) + "\n"));
  }
  return {};
}

Result<void> print_tables(const Json& tables, const Terminal& terminal, const Emit& emit) {
  if (tables.empty()) return {};
  Rows rows;
  for (const auto& table : tables) {
    rows.push_back({{text(table, "name")},
                    {text(table, "topic")},
                    state(table),
                    count(table, "records_in"),
                    count(table, "written"),
                    count(table, "filtered"),
                    dead_letters(table),
                    count(table, "waiting"),
                    rate(table),
                    {format_bytes(table.at("bytes").get<uint64_t>())}});
  }
  MR_TRY(emit("\n"));
  MR_TRY(print_table({{"TABLE"},
                      {"FROM", false, false, true},
                      {"STATE"},
                      {"IN", true},
                      {"WRITTEN", true},
                      {"FILTERED", true},
                      {"DEAD LETTERS", true},
                      {"WAITING", true},
                      {"RATE", true},
                      {"SIZE", true, false, true}},
                     rows, terminal, emit));
  MR_TRY(print_removed(tables, terminal, emit));
  return print_errors(tables, terminal, emit);
}

Result<void> print_balance(const Json& status, const Terminal& terminal, const Emit& emit) {
  if (is_balanced(status)) {
    return emit(paint("every record is accounted for", Look::kGood, terminal.colour) + "\n");
  }
  int64_t missing = 0;
  for (const auto& source : status.at("sources")) missing += std::abs(missing_of_source(source));
  for (const auto& table : status.at("tables")) missing += std::abs(missing_of_table(table));
  auto words = fmt::format(
      "{} not accounted for: this is a bug of millrace; please report it, with this table",
      missing == 1 ? "1 record is" : with_thousands(missing) + " records are");
  return emit(paint(words, Look::kBad, terminal.colour) + "\n");
}

}  // namespace

bool is_balanced(const Json& status) {
  return std::ranges::all_of(status.at("sources"),
                             [](const Json& source) { return missing_of_source(source) == 0; }) &&
         std::ranges::all_of(status.at("tables"),
                             [](const Json& table) { return missing_of_table(table) == 0; });
}

Result<void> print_status(const Json& status, const Terminal& terminal, const Emit& emit) {
  auto running = status.at("running").get<bool>();
  auto words = running ? fmt::format("{}, running for {}", text(status, "pipeline"),
                                     span_text(number(status, "uptime_ms")))
                       : std::string("not running");
  MR_TRY(emit(fmt::format("pipeline  {}\ndata      {}\n", words, text(status, "data_dir"))));
  MR_TRY(print_sources(status.at("sources"), terminal, emit));
  MR_TRY(print_topics(status.at("topics"), terminal, emit));
  return print_tables(status.at("tables"), terminal, emit);
}

Result<void> print_summary(const Json& status, const Terminal& terminal, const Emit& emit) {
  Rows rows;
  for (const auto& source : status.at("sources")) {
    rows.push_back({{text(source, "name")},
                    count(source, "pages"),
                    count(source, "items"),
                    count(source, "records"),
                    count(source, "filtered"),
                    dead_letters(source)});
  }
  if (!rows.empty()) {
    MR_TRY(print_table({{"SOURCE"},
                        {"PAGES", true},
                        {"ITEMS", true},
                        {"= RECORDS", true},
                        {"+ FILTERED", true},
                        {"+ DEAD LETTERS", true}},
                       rows, terminal, emit));
    MR_TRY(emit("\n"));
  }
  rows.clear();
  for (const auto& table : status.at("tables")) {
    rows.push_back({{text(table, "name")},
                    count(table, "records_in"),
                    count(table, "written"),
                    count(table, "filtered"),
                    dead_letters(table),
                    count(table, "waiting")});
  }
  if (!rows.empty()) {
    MR_TRY(print_table({{"TABLE"},
                        {"IN", true},
                        {"= WRITTEN", true},
                        {"+ FILTERED", true},
                        {"+ DEAD LETTERS", true},
                        {"+ WAITING", true}},
                       rows, terminal, emit));
    MR_TRY(emit("\n"));
  }
  MR_TRY(print_removed(status.at("tables"), terminal, emit));
  return print_balance(status, terminal, emit);
}

std::string rate_text(double per_s) {
  if (per_s > 0 && per_s < 10) return fmt::format("{:.1f}/s", per_s);
  return with_thousands(static_cast<int64_t>(per_s + 0.5)) + "/s";
}

std::string span_text(int64_t milliseconds) {
  static constexpr std::array<std::pair<int64_t, char>, 4> kUnits = {
      {{86'400, 'd'}, {3'600, 'h'}, {60, 'm'}, {1, 's'}}};
  auto seconds = milliseconds / 1'000;
  for (size_t i = 0; i + 1 < kUnits.size(); ++i) {
    auto [size, unit] = kUnits[i];
    auto [next_size, next_unit] = kUnits[i + 1];
    if (seconds < size) continue;
    return fmt::format("{}{} {}{}", seconds / size, unit, seconds % size / next_size, next_unit);
  }
  return fmt::format("{}s", seconds);
}

}  // namespace millrace::cli
