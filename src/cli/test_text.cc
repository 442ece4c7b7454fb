#include "cli/test_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/session.h"

namespace millrace::cli {
namespace {

using rehearsal::Difference;
using rehearsal::Outcome;
using Json = nlohmann::ordered_json;

// A value wider than this is cut beside another; the JSON output has all of it.
constexpr size_t kValueWidthMin = 20;

std::string padded(std::string_view text, size_t width) {
  size_t taken = display_width(text);
  return std::string(text) + std::string(width > taken ? width - taken : 0, ' ');
}

std::string heading(const Difference& difference) {
  std::string what = difference.dead_letter ? "dead letter" : "row";
  switch (difference.kind) {
    case Difference::Kind::kChanged:
      return fmt::format("the {} is not as wanted ({}):", what, spec::to_string(difference.place));
    case Difference::Kind::kMissing:
      return fmt::format("a {} is missing ({}):", what, spec::to_string(difference.place));
    case Difference::Kind::kExtra:
      return fmt::format("a {} that is not wanted:", what);
  }
  return "";
}

// The columns of a row that stands alone: name and value.
std::string one_row(const Difference& difference, const Terminal& terminal) {
  bool extra = difference.kind == Difference::Kind::kExtra;
  size_t width = 0;
  for (const auto& column : difference.columns)
    width = std::max(width, display_width(printable(column.name)));
  std::string text;
  for (const auto& column : difference.columns) {
    const auto& value = extra ? column.got : column.want;
    if (extra && (value == "null" || value == "\"\"")) continue;
    size_t room = terminal.width > width + 10 ? terminal.width - width - 10 : kValueWidthMin;
    auto shown = terminal.is_terminal ? cut_to_width(printable(value), room) : printable(value);
    text += fmt::format("      {} {}  {}\n",
                        paint(extra ? "+" : "-", extra ? Look::kGood : Look::kBad, terminal.colour),
                        padded(printable(column.name), width), shown);
  }
  return text;
}

// The columns of two rows: name, value got, value wanted.
std::string two_rows(const Difference& difference, const Terminal& terminal) {
  size_t name_width = 0;
  size_t got_width = display_width("got");
  size_t room = std::max(kValueWidthMin, terminal.width / 2);
  auto shown = [&](const std::string& value) {
    return terminal.is_terminal ? cut_to_width(printable(value), room) : printable(value);
  };
  for (const auto& column : difference.columns) {
    name_width = std::max(name_width, display_width(printable(column.name)));
    got_width = std::max(got_width, display_width(shown(column.got)));
  }
  auto text = paint(fmt::format("        {}  {}  {}", padded("", name_width),
                                padded("got", got_width), "wanted"),
                    Look::kDim, terminal.colour) +
              "\n";
  for (const auto& column : difference.columns) {
    auto name = padded(printable(column.name), name_width);
    auto got = padded(shown(column.got), got_width);
    auto want = shown(column.want);
    if (column.same) {
      text +=
          paint(fmt::format("        {}  {}  {}", name, got, want), Look::kDim, terminal.colour);
    } else {
      text += fmt::format("      {} {}  {}  {}", paint("✗", Look::kBad, terminal.colour), name,
                          paint(got, Look::kBad, terminal.colour),
                          paint(want, Look::kGood, terminal.colour));
    }
    text += "\n";
  }
  return text;
}

std::string_view kind_name(Difference::Kind kind) {
  switch (kind) {
    case Difference::Kind::kChanged:
      return "changed";
    case Difference::Kind::kMissing:
      return "missing";
    case Difference::Kind::kExtra:
      return "extra";
  }
  return "";
}

Json value_json(const std::string& text) {
  if (text.empty()) return nullptr;
  auto value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

Json to_json(const Difference& difference) {
  Json columns = Json::array();
  for (const auto& column : difference.columns) {
    Json one = {{"column", column.name}};
    if (difference.kind != Difference::Kind::kExtra) one["want"] = value_json(column.want);
    if (difference.kind != Difference::Kind::kMissing) one["got"] = value_json(column.got);
    columns.push_back(std::move(one));
  }
  return {{"kind", kind_name(difference.kind)},
          {"node", difference.node},
          {"dead_letter", difference.dead_letter},
          {"line", difference.place.line},
          {"columns", std::move(columns)}};
}

}  // namespace

std::string test_text(const Outcome& outcome, const Terminal& terminal) {
  auto time = paint(fmt::format("{:.1f} ms", static_cast<double>(outcome.took.count()) / 1'000),
                    Look::kDim, terminal.colour);
  if (outcome.passed())
    return fmt::format("{} {}  {}\n", paint("✓", Look::kGood, terminal.colour), outcome.name, time);
  auto text = fmt::format("{} {}  {}\n", paint("✗", Look::kBad, terminal.colour),
                          paint(outcome.name, Look::kBold, terminal.colour), time);
  bool is_missing = false;
  for (const auto& difference : outcome.differences) {
    is_missing |= difference.kind == Difference::Kind::kMissing;
    text += fmt::format("    {}: {}\n", difference.node, heading(difference));
    text += difference.kind == Difference::Kind::kChanged ? two_rows(difference, terminal)
                                                          : one_row(difference, terminal);
  }
  if (is_missing)
    for (const auto& [node, count] : outcome.filtered)
      text += fmt::format("    {}: its SQL left out {}\n", node,
                          count_of(static_cast<int64_t>(count), "record"));
  return text;
}

std::string tests_json(const std::string& file, const std::vector<Outcome>& outcomes) {
  Json json = {{"file", file},
               {"ok", std::ranges::all_of(outcomes, &Outcome::passed)},
               {"tests", Json::array()}};
  for (const auto& outcome : outcomes) {
    Json differences = Json::array();
    for (const auto& difference : outcome.differences) differences.push_back(to_json(difference));
    json["tests"].push_back({{"name", outcome.name},
                             {"line", outcome.place.line},
                             {"passed", outcome.passed()},
                             {"ms", static_cast<double>(outcome.took.count()) / 1'000},
                             {"differences", std::move(differences)}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace millrace::cli
