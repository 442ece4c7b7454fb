#include "spec/reader.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/text.h"
#include "io/folder.h"

namespace millrace::spec {
namespace {

std::string kind_of(const YAML::Node& node) {
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  if (node.IsScalar()) return fmt::format("'{}'", excerpt(node.Scalar(), 60));
  return "nothing";
}

// `parts` lead from the SQL to the value as the YAML parser gave it, `offsets` from there to the
// file.
std::vector<Sql::Run> runs_of(const Expanded& expanded, const std::vector<size_t>& offsets,
                              const FileText& text) {
  std::vector<Sql::Run> runs;
  for (size_t i = 0; i < expanded.parts.size(); ++i) {
    const auto& part = expanded.parts[i];
    size_t end =
        i + 1 < expanded.parts.size() ? expanded.parts[i + 1].position : expanded.value.size();
    size_t length = part.replaced ? 1 : end - part.position;
    for (size_t j = 0; j < length; ++j) {
      size_t at = part.from + j;
      if (j > 0 && offsets[at] == offsets[at - 1] + 1 && text.text()[offsets[at - 1]] != '\n')
        continue;
      auto place = text.place(offsets[at]);
      runs.push_back({part.position + j, place.line, place.column, part.replaced});
    }
  }
  return runs;
}

}  // namespace

Place Reader::place(const YAML::Node& node) const {
  auto mark = node.Mark();
  return text_.place(mark.is_null() ? 0 : static_cast<size_t>(mark.pos));
}

void Reader::report(Problem::Severity severity, const Place& place, std::string message) {
  problems_.push_back({severity, place, std::move(message)});
}

std::vector<Problem> Reader::take_problems() {
  std::ranges::stable_sort(problems_, {}, [](const Problem& problem) {
    return std::pair(problem.place.line, problem.place.column);
  });
  return std::move(problems_);
}

void Reader::unexpected(const Item& item, std::string_view expected, std::string_view got) {
  error(place(item.node), "expected {}, got {}", expected, got);
}

std::vector<Entry> Reader::entries(const Item& item, std::string_view expected) {
  std::vector<Entry> entries;
  if (!item.node.IsMap()) {
    unexpected(item, expected, kind_of(item.node));
    return entries;
  }
  std::map<std::string, Place> seen;
  for (const auto& pair : item.node) {
    auto where = place(pair.first);
    if (!pair.first.IsScalar()) {
      error(where, "expected a name before the ':', got {}", kind_of(pair.first));
      continue;
    }
    const auto& key = pair.first.Scalar();
    auto [first, fresh] = seen.emplace(key, where);
    if (!fresh) {
      error(where, "'{}' stands here a second time; the first is in line {}", excerpt(key, 60),
            first->second.line);
      continue;
    }
    if (pair.second.IsNull()) error(where, "'{}' has no value", excerpt(key, 60));
    entries.push_back({key, {pair.second, where}});
  }
  return entries;
}

std::optional<Expanded> Reader::scalar(const Item& item, std::string_view expected, bool secrets) {
  if (!item.node.IsScalar()) {
    unexpected(item, expected, kind_of(item.node));
    return std::nullopt;
  }
  auto expanded = expand(item.node.Scalar(), variables_);
  if (expanded && (secrets || expanded->secrets.empty())) return *std::move(expanded);
  error(
      place(item.node), "{}",
      expanded
          ? "a secret stands only in a url, headers, auth, tls or a body, where it is never printed"
          : expanded.error().message());
  return std::nullopt;
}

std::optional<Text> Reader::text(const Item& item, std::string_view expected) {
  auto expanded = scalar(item, expected, true);
  if (!expanded) return std::nullopt;
  return Text{std::move(expanded->value), std::move(expanded->shown), place(item.node),
              std::move(expanded->secrets)};
}

std::optional<std::string> Reader::plain(const Item& item, std::string_view expected) {
  auto expanded = scalar(item, expected, false);
  if (!expanded) return std::nullopt;
  return std::move(expanded->value);
}

std::optional<Sql> Reader::sql(const Item& item) {
  auto expanded = scalar(item, "SQL", false);
  if (!expanded) return std::nullopt;
  if (expanded->value.find_first_not_of(" \t\r\n") == std::string::npos) {
    error(place(item.node), "expected SQL, got nothing");
    return std::nullopt;
  }
  auto begin = static_cast<size_t>(item.node.Mark().pos);
  auto runs = runs_of(*expanded, text_.offsets(begin, item.node.Scalar()), text_);
  return Sql{std::move(expanded->value), place(item.node), std::move(runs)};
}

Result<std::string> Reader::file(const std::string& name) const {
  return io::read_file(path(name), kFileBytesMax);
}

std::string Reader::path(const std::string& name) const {
  return (std::filesystem::path(folder_) / name).string();
}

}  // namespace millrace::spec
