#include "infer/draft_columns.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace millrace::infer {
namespace {

using Json = nlohmann::ordered_json;
using Path = std::vector<std::string>;

// A table's columns: CQL and people want few; the rest stays in the topic's items.
constexpr size_t kColumnsMax = 200;
constexpr size_t kNameMax = 48;

// Words that SQL or CQL take for their own where a name stands alone.
constexpr std::array kReserved = {
    "add",      "all",      "allow",      "alter",     "analyse",   "analyze",   "and",
    "any",      "apply",    "array",      "as",        "asc",       "authorize", "batch",
    "begin",    "between",  "both",       "by",        "case",      "cast",      "check",
    "collate",  "column",   "constraint", "create",    "cross",     "default",   "delete",
    "desc",     "describe", "distinct",   "do",        "drop",      "else",      "end",
    "entries",  "except",   "execute",    "exists",    "false",     "fetch",     "for",
    "foreign",  "from",     "full",       "grant",     "group",     "having",    "if",
    "in",       "index",    "infinity",   "initially", "inner",     "insert",    "intersect",
    "into",     "is",       "join",       "keyspace",  "lambda",    "lateral",   "leading",
    "left",     "like",     "limit",      "modify",    "nan",       "natural",   "norecursive",
    "not",      "null",     "of",         "offset",    "on",        "only",      "or",
    "order",    "outer",    "pivot",      "placing",   "primary",   "qualify",   "references",
    "rename",   "replace",  "returning",  "revoke",    "right",     "schema",    "select",
    "set",      "show",     "some",       "summarize", "symmetric", "table",     "then",
    "to",       "token",    "trailing",   "true",      "truncate",  "union",     "unique",
    "unlogged", "unpivot",  "update",     "use",       "using",     "variadic",  "view",
    "when",     "where",    "window",     "with"};

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_reserved(std::string_view word) {
  return std::ranges::find(kReserved, word) != kReserved.end();
}

// "firstName" -> "first_name", "Straße 2" -> "stra_e_2".
std::string snake_case(std::string_view name) {
  std::string snake;
  for (size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    bool begins_word = is_upper(c) && i > 0 &&
                       (is_lower(name[i - 1]) || is_digit(name[i - 1]) ||
                        (i + 1 < name.size() && is_lower(name[i + 1]) && is_upper(name[i - 1])));
    if (begins_word && !snake.ends_with('_')) snake += '_';
    if (is_upper(c))
      snake += static_cast<char>(c - 'A' + 'a');
    else if (is_lower(c) || is_digit(c))
      snake += c;
    else if (!snake.empty() && !snake.ends_with('_'))
      snake += '_';
  }
  while (snake.ends_with('_')) snake.pop_back();
  if (snake.empty() || !is_lower(snake[0])) snake = snake.empty() ? "field" : "n" + snake;
  if (snake.size() > kNameMax) snake.resize(kNameMax);
  return is_reserved(snake) ? snake + "_" : snake;
}

void collect(const Json& schema, Path& path, std::vector<DraftColumn>& columns) {
  for (const auto& [name, field] : schema["properties"].items()) {
    path.push_back(name);
    if (field.contains("properties"))
      collect(field, path, columns);
    else
      columns.push_back({path, "", &field});
    path.pop_back();
  }
}

std::string joined(const Path& path, size_t from) {
  std::string text;
  for (size_t i = from; i < path.size(); ++i) text += (i > from ? "_" : "") + path[i];
  return snake_case(text);
}

// The last two names of each path, or as many as it takes to be the only one.
void name(std::vector<DraftColumn>& columns) {
  std::set<std::string> taken;
  for (auto& column : columns) {
    if (!column.alias.empty()) {
      taken.insert(column.alias);
      continue;
    }
    const auto& path = column.path;
    auto free = [&](const std::string& name) { return !taken.contains(name); };
    for (size_t used = std::min<size_t>(2, path.size()); used <= path.size(); ++used) {
      column.alias = joined(path, path.size() - used);
      if (free(column.alias)) break;
    }
    auto wanted = column.alias.substr(0, kNameMax - 4);
    for (int i = 2; !free(column.alias); ++i) column.alias = wanted + "_" + std::to_string(i);
    taken.insert(column.alias);
  }
}

}  // namespace

std::vector<DraftColumn> draft_columns(const Json& schema, const Path& key) {
  std::vector<DraftColumn> columns;
  Path path;
  collect(schema, path, columns);
  auto of_key = std::ranges::find(columns, key, &DraftColumn::path);
  if (of_key != columns.end()) {
    std::rotate(columns.begin(), of_key, of_key + 1);
    bool has_id = std::ranges::any_of(columns, [](const auto& column) {
      return column.path.size() == 1 && snake_case(column.path[0]) == "id";
    });
    if (!has_id) columns[0].alias = "id";
  }
  if (columns.size() > kColumnsMax) columns.resize(kColumnsMax);
  name(columns);
  return columns;
}

std::string sql_path(const Path& path) {
  std::string text;
  for (const auto& name : path) {
    bool plain =
        !name.empty() && (is_lower(name[0]) || name[0] == '_') &&
        std::ranges::all_of(name, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
    if (!text.empty()) text += '.';
    if (plain && !is_reserved(name)) {
      text += name;
      continue;
    }
    text += '"';
    for (char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
    text += '"';
  }
  return text;
}

}  // namespace millrace::infer
