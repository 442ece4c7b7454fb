#include "infer/response.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "sql/json_split.h"

namespace millrace::infer {
namespace {

using Json = nlohmann::ordered_json;
using Path = std::vector<std::string>;
namespace ondemand = simdjson::ondemand;

constexpr size_t kDepthMax = 4;
// What APIs call their items, the commonest first.
constexpr std::array kItemNames = {"results", "data",    "items",    "records", "rows",
                                   "values",  "entries", "elements", "hits",    "features",
                                   "objects", "docs",    "list",     "value",   "content"};
// What they call the address of the next page, and what leads to it.
constexpr std::array kNextNames = {"next",     "next_url",  "nextUrl",        "next_page",
                                   "nextLink", "next_link", "@odata.nextLink"};
constexpr std::array kCursorNames = {"cursor",     "next_cursor", "nextCursor",     "nextPageToken",
                                     "next_token", "nextToken",   "next_page_token"};
constexpr std::array kPageNames = {"page", "current_page", "pageNumber", "page_number"};

struct List {
  Path path;
  size_t objects;
  int score;
};

// A response without what is inside its items: in lists objects are {} and all else null, numbers
// that are no 64-bit integers are 0.5.
class Outliner {
 public:
  static simdjson::error_code walk(ondemand::value value, size_t depth, Json& to) {
    std::string_view token = value.raw_json_token();
    if (token.starts_with('{') && depth > kDepthMax) to = Json::object();
    if (token.starts_with('{'))
      return depth > kDepthMax ? simdjson::SUCCESS : object(value, depth, to);
    if (token.starts_with('[')) return array(value, to);
    if (token.starts_with('"')) {
      std::string_view text;
      if (auto code = value.get_string().get(text)) return code;
      to = std::string(text);
      return simdjson::SUCCESS;
    }
    int64_t number = 0;
    auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), number);
    bool whole =
        error == std::errc() && (end == token.data() + token.size() ||
                                 std::string_view(" \t\r\n").find(*end) != std::string_view::npos);
    to = whole ? Json(number) : Json(0.5);
    return simdjson::SUCCESS;
  }

 private:
  static simdjson::error_code object(ondemand::value& value, size_t depth, Json& to) {
    to = Json::object();
    ondemand::object object;
    if (auto code = value.get_object().get(object)) return code;
    for (auto result : object) {
      ondemand::field field;
      std::string_view name;
      if (auto code = std::move(result).get(field)) return code;
      if (auto code = field.unescaped_key().get(name)) return code;
      std::string key(name);
      if (auto code = walk(field.value(), depth + 1, to[key])) return code;
    }
    return simdjson::SUCCESS;
  }

  static simdjson::error_code array(ondemand::value& value, Json& to) {
    to = Json::array();
    ondemand::array array;
    if (auto code = value.get_array().get(array)) return code;
    for (auto result : array) {
      ondemand::value element;
      if (auto code = std::move(result).get(element)) return code;
      std::string_view token = element.raw_json_token();
      to.push_back(token.starts_with('{') ? Json::object() : Json());
    }
    return simdjson::SUCCESS;
  }
};

Result<Json> outline_of(std::string_view response) {
  ondemand::parser parser;
  ondemand::document document;
  ondemand::value value;
  Json outline;
  simdjson::padded_string_view padded(response.data(), response.size(),
                                      response.size() + sql::kJsonPadding);
  auto code = parser.iterate(padded).get(document);
  if (!code) code = document.get_value().get(value);
  if (!code) code = Outliner::walk(value, 1, outline);
  if (code)
    return fail(ErrorCode::kInvalid, "this is no JSON ({}); it begins {}",
                simdjson::error_message(code), excerpt(response, 120));
  return outline;
}

bool is_one_of(const std::string& name, const auto& names) {
  return std::ranges::find(names, name) != names.end();
}

std::string text_of(const Path& path) {
  return fmt::format("{}", fmt::join(path, "."));
}

int score_of(const Path& path, size_t objects) {
  int score = static_cast<int>(std::min<size_t>(objects, 50)) - 30 * static_cast<int>(path.size());
  int best = 0;
  for (const auto& name : path)
    if (auto known = std::ranges::find(kItemNames, name); known != kItemNames.end())
      best = std::max(best, 100 - static_cast<int>(known - kItemNames.begin()));
  return score + best;
}

void find_lists(const Json& value, Path& path, std::vector<List>& lists) {
  if (value.is_array()) {
    auto objects = static_cast<size_t>(
        std::ranges::count_if(value, [](const Json& element) { return element.is_object(); }));
    if (objects > 0 && objects == value.size())
      lists.push_back({path, objects, score_of(path, objects)});
    return;
  }
  if (!value.is_object() || path.size() == kDepthMax) return;
  for (const auto& [name, member] : value.items()) {
    path.push_back(name);
    find_lists(member, path, lists);
    path.pop_back();
  }
}

// Whether the response tells what it is itself, so that a list in it belongs to that.
bool is_identified(const Json& response) {
  if (!response.is_object()) return false;
  return std::ranges::any_of(std::array{"id", "_id", "uuid", "name", "title"},
                             [&](const char* name) { return response.contains(name); });
}

struct Hint {
  int score = 0;
  std::string words;
};

void find_paging(const Json& value, Path& path, Hint& best) {
  if (!value.is_object() || path.size() == 3) return;
  auto offer = [&](int score, std::string words) {
    if (score > best.score) best = {score, std::move(words)};
  };
  for (const auto& [name, member] : value.items()) {
    path.push_back(name);
    auto at = text_of(path);
    auto is_address = [&] {
      const auto& text = member.get_ref<const std::string&>();
      return text.starts_with("http://") || text.starts_with("https://") || text.starts_with('/');
    };
    if (member.is_string() && is_one_of(name, kNextNames) && is_address())
      offer(3, fmt::format("its `{0}` is the address of the next page: 'page: {{by: cursor, from: "
                           "{0}}}' would follow it",
                           at));
    else if (member.is_string() && (is_one_of(name, kCursorNames) || is_one_of(name, kNextNames)))
      offer(2, fmt::format("its `{0}` leads to the next page: 'page: {{by: cursor, from: {0}, "
                           "parameter: NAME}}' would send it as that parameter",
                           at));
    else if (member.is_number_integer() && is_one_of(name, kPageNames))
      offer(1, fmt::format("its `{}` counts pages: 'page: {{parameter: page}}' would ask for one "
                           "after another",
                           at));
    else
      find_paging(member, path, best);
    path.pop_back();
  }
}

std::string paging_of(const Json& response, std::span<const std::string> links) {
  for (const auto& link : links)
    if (link.contains("rel=\"next\"") || link.contains("rel=next"))
      return "its Link header leads to the next page: 'page: {by: link}' would follow it";
  Path path;
  Hint best;
  find_paging(response, path, best);
  return best.words;
}

}  // namespace

Result<Layout> layout_of(std::string_view response, std::span<const std::string> links,
                         const std::optional<Path>& path) {
  auto json = MR_TRY(outline_of(response));
  Layout layout{.path = {}, .why = "", .paging = paging_of(json, links)};
  if (path) {
    layout.path = *path;
    layout.why = "as asked";
    return layout;
  }
  std::vector<List> lists;
  Path walked;
  find_lists(json, walked, lists);
  std::ranges::stable_sort(lists, std::ranges::greater(), &List::score);
  // Lists inside an item that is all there is, such as its tags, are none of items.
  if (!lists.empty() && (lists[0].path.empty() || lists[0].score > 0 || !is_identified(json))) {
    layout.path = lists[0].path;
    layout.why =
        fmt::format("a list of {} objects", with_thousands(static_cast<int64_t>(lists[0].objects)));
    if (lists.size() > 1) layout.why += fmt::format("; another is {}", text_of(lists[1].path));
    return layout;
  }
  if (json.is_object()) {
    layout.why = "the whole response is one item";
    return layout;
  }
  return fail(ErrorCode::kInvalid, "there are no objects in it that could be items; it begins {}",
              excerpt(response, 120));
}

}  // namespace millrace::infer
