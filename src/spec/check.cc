#include "spec/check.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace millrace::spec {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

void check_feeds(const Pipeline& pipeline, Reader& reader) {
  std::vector<std::string> names;
  for (const auto& topic : pipeline.topics) names.push_back(topic.name);
  std::map<std::string, const SourceSpec*> fed_by;
  bool all_known = true;
  for (const auto& source : pipeline.sources) {
    if (pipeline.find_topic(source.to) == nullptr) {
      all_known = false;
      if (source.to.empty()) continue;
      auto meant = did_you_mean(source.to, names);
      reader.error(source.to_place, "there is no topic '{}'; {}", excerpt(source.to, 60),
                   meant.empty() ? "topics are named under 'topics:'"
                                 : fmt::format("did you mean '{}'?", meant));
      continue;
    }
    auto [first, fresh] = fed_by.emplace(source.to, &source);
    if (!fresh)
      reader.error(source.to_place, "one source feeds a topic, and '{}' feeds '{}' already",
                   first->second->name, source.to);
  }
  // A source whose topic is not known may well have meant one that looks unfed.
  if (!all_known) return;
  for (const auto& topic : pipeline.topics)
    if (!fed_by.contains(topic.name) && topic.schema_place.line == 0)
      reader.error(topic.place,
                   "nothing says what columns topic '{}' has: no source feeds it, so it needs a "
                   "'schema'",
                   excerpt(topic.name, 60));
}

void check_same_name(const std::vector<std::pair<std::string, Place>>& names, Reader& reader) {
  std::map<std::string, std::string> seen;
  for (const auto& [name, place] : names) {
    auto [first, fresh] = seen.emplace(lower(name), name);
    if (!fresh)
      reader.error(place,
                   "'{}' differs from '{}' only by upper and lower case, which SQL does not tell "
                   "apart",
                   excerpt(name, 60), excerpt(first->second, 60));
  }
}

void check_headers(const SourceSpec& source, Reader& reader) {
  for (const auto& [name, text] : source.http.headers)
    if (text.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      reader.error(text.place, "header '{}' has a line break in it", excerpt(name, 60));
}

// Reports a name that is none of `known`.
void check_known(const std::string& name, const Place& place, std::string_view nouns,
                 const std::vector<std::string>& known, Reader& reader) {
  if (std::ranges::find(known, name) != known.end()) return;
  auto meant = did_you_mean(name, known);
  reader.error(place, "there is no {} '{}'{}", nouns, excerpt(name, 60),
               meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
}

void check_tests(const Pipeline& pipeline, Reader& reader) {
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<std::string> nodes;
  for (const auto& source : pipeline.sources) inputs.push_back(source.name);
  nodes = inputs;
  for (const auto& topic : pipeline.topics) inputs.push_back(topic.name);
  for (const auto& topic : pipeline.topics) outputs.push_back(topic.name);
  for (const auto& table : pipeline.tables) {
    outputs.push_back(table.full_name());
    nodes.push_back(table.full_name());
  }
  for (const auto& test : pipeline.tests) {
    for (const auto& given : test.given)
      check_known(given.name, given.place, "source or topic", inputs, reader);
    for (const auto& want : test.want)
      check_known(want.name, want.place, "table or topic", outputs, reader);
    std::vector<std::string> columns(std::begin(kDeadLetterColumns), std::end(kDeadLetterColumns));
    for (const auto& wanted : test.dead_letters) {
      check_known(wanted.name, wanted.place, "source or table", nodes, reader);
      for (const auto& row : wanted.rows)
        for (const auto& cell : row.cells)
          check_known(cell.column, cell.place, "column of dead letters", columns, reader);
    }
  }
}

void check_page(const SourceSpec& source, Reader& reader) {
  if (!source.http.page) return;
  const auto& page = *source.http.page;
  const auto& place = source.http.page_place;
  bool counts = page.by == PageBy::kNumber || page.by == PageBy::kOffset;
  if (page.by == PageBy::kCursor && page.from.empty())
    reader.error(place, "paging by cursor needs 'from': where in a response the cursor stands");
  if (page.by != PageBy::kCursor && !page.from.empty())
    reader.error(place, "'from' is for paging by cursor; add 'by: cursor'");
  if (!counts && page.size)
    reader.error(place,
                 "'size' is for paging by number or offset; others say themselves when they "
                 "are at the end");
  if (!page.size_parameter.empty() && !page.size)
    reader.error(place, "'size_parameter' needs 'size': how many items to ask for");
  if (page.by == PageBy::kLink && !page.parameter.empty())
    reader.error(place, "paging by link has no 'parameter': the Link header has whole addresses");
}

void check_parameters_in_body(const SourceSpec& source, Reader& reader) {
  const auto& http = source.http;
  auto check_one = [&](ParameterIn in, const Place& place) {
    bool has_place = http.method == HttpMethod::kPost &&
                     nlohmann::json::parse(http.body.value, nullptr, false).is_object();
    if (in == ParameterIn::kBody && !has_place)
      reader.error(place, "'in: body' needs 'method: POST' and a 'body' that is a JSON object");
  };
  if (http.page) check_one(http.page->in, http.page_place);
  if (http.since) check_one(http.since->in, http.since_place);
}

void check_format(const SourceSpec& source, Reader& reader) {
  bool lines = source.format == Format::kJsonLines || source.format == Format::kCsv;
  if (lines && !source.items.empty())
    reader.error(source.items_place, "'items' is a path in JSON; here every line is an item");
  if (lines && source.http.page && source.http.page->by == PageBy::kCursor)
    reader.error(source.http.page_place, "paging by cursor needs responses in JSON");
}

}  // namespace

void check(const Pipeline& pipeline, Reader& reader) {
  check_feeds(pipeline, reader);
  std::vector<std::pair<std::string, Place>> topics;
  for (const auto& topic : pipeline.topics) topics.emplace_back(topic.name, topic.place);
  check_same_name(topics, reader);
  std::vector<std::pair<std::string, Place>> tables;
  for (const auto& table : pipeline.tables) tables.emplace_back(table.full_name(), table.place);
  check_same_name(tables, reader);
  for (const auto& source : pipeline.sources) {
    check_headers(source, reader);
    check_page(source, reader);
    check_parameters_in_body(source, reader);
    check_format(source, reader);
  }
  check_tests(pipeline, reader);
  if (pipeline.sources.empty() && pipeline.tables.empty() && !reader.has_problems())
    reader.warning({pipeline.file, 1, 1}, "there is nothing to run: no sources and no tables");
}

}  // namespace millrace::spec
