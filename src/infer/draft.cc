#include "infer/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "base/text.h"
#include "infer/draft_columns.h"
#include "infer/yaml_text.h"

namespace millrace::infer {
namespace {

using Json = nlohmann::ordered_json;

// An item longer than this makes no test that one would like to read.
constexpr size_t kTestItemBytesMax = 8'192;
constexpr size_t kTestColumnsMax = 6;
constexpr size_t kLineWidth = 96;

// Where a path says nothing about what the items are.
constexpr const char* kEmptyNames[] = {"results", "data",    "items",  "records", "rows", "values",
                                       "entries", "value",   "list",   "docs",    "api",  "index",
                                       "content", "objects", "hits",   "json",    "v1",   "v2",
                                       "v3",      "v4",      "public", "rest",    "www"};

bool is_empty_name(const std::string& name) {
  return std::ranges::find(kEmptyNames, name) != std::end(kEmptyNames);
}

std::string as_name(std::string_view word) {
  std::string name;
  for (char c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && !name.empty());
    if (fits)
      name += c;
    else if (!name.empty() && !name.ends_with('_'))
      name += '_';
  }
  if (name.size() > 40) name.resize(40);
  while (name.ends_with('_')) name.pop_back();
  return name;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    auto part = text.substr(0, text.find(at));
    parts.push_back(part);
    if (part.size() == text.size()) return parts;
    text.remove_prefix(part.size() + 1);
  }
}

std::string table_name(const Findings& findings) {
  const auto& path = findings.layout.path;
  auto name = path.empty() ? "" : as_name(path.back());
  return name.empty() || is_empty_name(name) ? "items" : name;
}

// A name for the source that is no field's: in SQL, fields are found behind the source's name.
std::string source_name(const Findings& findings, const std::string& name) {
  auto source = name + "_api";
  while (findings.schema["properties"].contains(source)) source += "_";
  return source;
}

// A digest of what an item has, where none of its fields tells it from others.
std::string digest_of(const std::vector<DraftColumn>& columns) {
  std::string texts;
  for (const auto& column : columns)
    texts += fmt::format("{}coalesce(CAST({} AS VARCHAR), '')", texts.empty() ? "" : ", '|', ",
                         sql_path(column.path));
  return fmt::format("md5(concat({})) AS id", texts);
}

std::string select_of(const std::vector<DraftColumn>& columns, bool has_key) {
  std::vector<std::string> parts;
  if (!has_key) parts.push_back(digest_of(columns));
  for (const auto& column : columns) {
    auto path = sql_path(column.path);
    parts.push_back(path == column.alias ? path : fmt::format("{} AS {}", path, column.alias));
  }
  std::string text = "      SELECT ";
  size_t width = text.size();
  for (size_t i = 0; i < parts.size(); ++i) {
    auto part = parts[i] + (i + 1 < parts.size() ? "," : "");
    if (i > 0 && width + part.size() > kLineWidth) {
      text += "\n             ";
      width = 13;
    } else if (i > 0) {
      text += ' ';
      ++width;
    }
    text += part;
    width += part.size();
  }
  return text + "\n";
}

// The value that a column has for an item, where that is plain to see.
std::optional<Json> value_for(const DraftColumn& column, const Json& item) {
  const Json* value = &item;
  for (const auto& name : column.path) {
    if (!value->is_object() || !value->contains(name)) return std::nullopt;
    value = &(*value)[name];
  }
  auto type = column.schema->value("type", Json());
  auto format = column.schema->value("format", "");
  if (value->is_string() && (type == "string" || type.is_array()) &&
      (format.empty() || format == "uuid" || format == "email" || format == "uri"))
    return value->get_ref<const std::string&>().size() <= 80 ? std::optional(*value) : std::nullopt;
  if (value->is_number_integer())
    return type.is_array() && type.size() > (type.back() == "null" ? 2U : 1U)
               ? std::optional(Json(value->dump()))
           : type == "integer" && format.empty() ? std::optional(*value)
                                                 : std::nullopt;
  return value->is_boolean() && type == "boolean" ? std::optional(*value) : std::nullopt;
}

std::string test_of(const Findings& findings, const std::vector<DraftColumn>& columns,
                    const std::string& source, const std::string& table) {
  auto item = Json::parse(findings.item, nullptr, false);
  if (item.is_discarded() || findings.item.size() > kTestItemBytesMax) return "";
  Json row = Json::object();
  for (const auto& column : columns) {
    if (row.size() == kTestColumnsMax) break;
    if (auto value = value_for(column, item)) row[column.alias] = *value;
  }
  std::string given = yaml_value(item, 10);
  if (given.starts_with('\n')) given = " " + given.substr(1 + 10);
  std::string want = yaml_value(row, 10);
  if (want.starts_with('\n')) want = " " + want.substr(1 + 10);
  return fmt::format(
      "\n# `millrace test` runs these in memory; docs/testing.md says more. A want names the "
      "columns\n# that matter.\ntests:\n  an_item_becomes_a_row:\n    given:\n      {}:\n        "
      "-{}\n    want:\n      {}:\n        -{}\n",
      source, given, table, want);
}

// `data.users`, or a list of names where they are not plain.
std::string items_text(const std::vector<std::string>& path) {
  for (const auto& name : path)
    if (!std::regex_match(name, std::regex("[A-Za-z_][A-Za-z0-9_]{0,60}")))
      return yaml_value(Json(path), 6).substr(1);
  return fmt::format("{}", fmt::join(path, "."));
}

// Where the API does not say it with its Content-Type.
std::string format_line(const Findings& findings) {
  if (findings.format_is_told || findings.format == Sample::Format::kJson) return "";
  return fmt::format("    format: {}  # {}\n",
                     findings.format == Sample::Format::kCsv ? "csv" : "jsonl",
                     findings.layout.why);
}

std::string address_lines(const Findings& findings, const DraftOf& of) {
  if (of.address.empty()) return "      url: https://example.com/  # put the API's address here\n";
  std::string text = fmt::format("      url: {}\n", yaml_text(of.address));
  if (!of.headers.empty()) text += "      headers:\n";
  for (const auto& header : of.headers)
    text += fmt::format("        {}: {}\n", header.name, yaml_text_with_variables(header.written));
  if (!findings.layout.paging.empty())
    text +=
        fmt::format("      # More pages: {}\n",
                    std::regex_replace(findings.layout.paging, std::regex(": "), ":\n      #   ",
                                       std::regex_constants::format_first_only));
  return text + "      every: 10s  # between two requests\n";
}

}  // namespace

std::string name_for(std::string_view from) {
  bool is_url = from.contains("://");
  if (is_url) from.remove_prefix(from.find("://") + 3);
  from = from.substr(0, from.find_first_of("?#"));
  auto parts = split(from, '/');
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    bool is_host = is_url && std::next(part) == parts.rend();
    auto words = split(*part, '.');
    // A host's name is before its last dot; a file's before its first.
    auto word = is_host && words.size() > 1 ? words[words.size() - 2] : words[0];
    auto name = as_name(word);
    if (!name.empty() && !is_empty_name(name)) return name;
  }
  return "first";
}

bool is_name(std::string_view name) {
  return !name.empty() && as_name(name) == name;
}

std::string table_of(const Findings& findings, const DraftOf& of) {
  return of.name + "." + table_name(findings);
}

std::string draft_pipeline(const Findings& findings, const DraftOf& of) {
  auto columns = draft_columns(findings.schema, of.key);
  bool has_key = !of.key.empty() && !columns.empty() && columns[0].path == of.key;
  auto key = has_key ? columns[0].alias : "id";
  if (!has_key)
    for (auto& column : columns)
      if (column.alias == key) column.alias += "_";
  auto source = source_name(findings, of.name);
  auto table = table_of(findings, of);
  auto why_key = !has_key ? "no field is different in every item, so this is a digest of the item"
                 : findings.key && findings.key->path == of.key
                     ? fmt::format("{}: {}", fmt::join(of.key, "."), findings.key->why)
                     : fmt::format("{}", fmt::join(of.key, "."));
  std::string items = format_line(findings);
  if (!findings.layout.path.empty())
    items +=
        fmt::format("    items: {}  # {}\n", items_text(findings.layout.path), findings.layout.why);
  return fmt::format(
             "# A draft, made from {} ({} {}). Read it, and change it.\n"
             "name: {}\n\nsources:\n  {}:\n    http:\n{}{}    schema: {}  # of one item\n"
             "    to: {}\n    # A column for each field; leave out what is not wanted.\n"
             "    select: |\n{}\n",
             excerpt(of.from, 200), with_thousands(static_cast<int64_t>(findings.items)),
             findings.items == 1 ? "item" : "items", of.name, source, address_lines(findings, of),
             items, of.schema_file, of.name, select_of(columns, has_key)) +
         fmt::format(
             "topics:\n  {}:\n    key: {}  # records with one key stay in order\n\n"
             "tables:\n  {}:\n    # {}.\n    primary_key: {}\n    from: SELECT * FROM {}\n",
             of.name, key, table, why_key, key, of.name) +
         test_of(findings, columns, source, table);
}

}  // namespace millrace::infer
