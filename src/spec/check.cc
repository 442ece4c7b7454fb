#include "spec/check.h"

#include <algorithm>
#include <map>

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

}  // namespace

void check(const Pipeline& pipeline, Reader& reader) {
  check_feeds(pipeline, reader);
  std::vector<std::pair<std::string, Place>> topics;
  for (const auto& topic : pipeline.topics) topics.emplace_back(topic.name, topic.place);
  check_same_name(topics, reader);
  std::vector<std::pair<std::string, Place>> tables;
  for (const auto& table : pipeline.tables) tables.emplace_back(table.full_name(), table.place);
  check_same_name(tables, reader);
  for (const auto& source : pipeline.sources) check_headers(source, reader);
  if (pipeline.sources.empty() && pipeline.tables.empty() && !reader.has_problems())
    reader.warning({pipeline.file, 1, 1}, "there is nothing to run: no sources and no tables");
}

}  // namespace millrace::spec
