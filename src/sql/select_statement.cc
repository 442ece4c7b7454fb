#include "sql/select_statement.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <functional>
#include <utility>
#include <vector>

namespace millrace::sql {
namespace {

using nlohmann::json;

// Calls `visit` for every object below and at `node`.
template <class Json, class Visit>
void walk(Json& node, const Visit& visit) {
  if (node.is_object()) visit(node);
  if (node.is_structured())
    for (auto& child : node) walk(child, visit);
}

std::string text_of(const json& node, const char* key) {
  auto found = node.find(key);
  return found != node.end() && found->is_string() ? found->template get<std::string>() : "";
}

size_t location_of(const json& node) {
  auto found = node.find("query_location");
  return found != node.end() && found->is_number_unsigned() ? found->template get<size_t>() : 0;
}

bool is_present(const json& node, const char* key) {
  auto found = node.find(key);
  return found != node.end() && !found->is_null() && !(found->is_structured() && found->empty());
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

SqlProblem problem(size_t position, std::string message) {
  return {.position = position, .message = std::move(message)};
}

constexpr std::string_view kOneRecord =
    "a pipeline's SELECT makes rows of one record at a time, so it has no ";

std::expected<json, SqlProblem> parse_tree(Connection& connection, const std::string& sql) {
  auto text = connection.query_text("SELECT json_serialize_sql($1::VARCHAR)", sql);
  if (!text) return std::unexpected(problem(0, error_words(text.error().message())));
  json tree = json::parse(*text, nullptr, false);
  if (tree.is_discarded()) return std::unexpected(problem(0, "DuckDB cannot parse this"));
  if (tree.value("error", true)) {
    size_t position = 0;
    std::string at = text_of(tree, "position");
    std::from_chars(at.data(), at.data() + at.size(), position);
    return std::unexpected(problem(position, text_of(tree, "error_message")));
  }
  if (tree["statements"].size() != 1)
    return std::unexpected(problem(0, "this must be one SELECT, not several statements"));
  return tree;
}

json& select_of(json& tree) {
  return tree["statements"][0]["node"];
}

// The first thing in the select node that needs more than one record.
std::optional<SqlProblem> refused(const json& select) {
  auto no = [](size_t position, std::string_view what) {
    return problem(position, fmt::format("{}{}", kOneRecord, what));
  };
  if (text_of(select, "type") != "SELECT_NODE")
    return problem(
        0, fmt::format("this must be one plain SELECT … FROM …, not {}", text_of(select, "type")));
  const json& from = select["from_table"];
  if (text_of(from, "type") == "EMPTY")
    return problem(0, "this reads nothing: add FROM and the name of what it reads");
  if (text_of(from, "type") != "BASE_TABLE")
    return no(location_of(from),
              "joins or subqueries in FROM; UNNEST may stand in the SELECT list");
  if (is_present(from, "sample") || is_present(select, "sample"))
    return no(location_of(from), "samples");
  if (is_present(select, "group_expressions")) return no(0, "GROUP BY");
  if (is_present(select, "having")) return no(0, "HAVING");
  if (is_present(select, "qualify")) return no(0, "QUALIFY");
  if (is_present(select["cte_map"], "map")) return no(0, "WITH");
  if (text_of(select, "aggregate_handling") != "STANDARD_HANDLING") return no(0, "GROUP BY ALL");
  for (const auto& modifier : select["modifiers"]) {
    std::string type = text_of(modifier, "type");
    if (type == "ORDER_MODIFIER") return no(0, "ORDER BY");
    if (type == "DISTINCT_MODIFIER") return no(0, "DISTINCT");
    return no(0, "LIMIT");
  }
  std::optional<SqlProblem> inside;
  walk(select, [&](const json& node) {
    if (inside) return;
    std::string kind = text_of(node, "class");
    if (kind == "SUBQUERY") inside = no(location_of(node), "subqueries");
    if (kind == "WINDOW") inside = no(location_of(node), "window functions");
    if (kind == "COLUMN_REF" && node["column_names"].back() == kRecordColumn)
      inside = problem(location_of(node), fmt::format("there is no column '{}'", kRecordColumn));
    if (kind == "PARAMETER")
      inside = problem(location_of(node), "parameters ('?', '$1') have no value here");
  });
  return inside;
}

// Marks what a reference such as location.street.name reads.
struct Reading {
  bool all = false;
  std::vector<std::string> names;  // of the fields read, in step with `fields`
  std::vector<Reading> fields;

  const Reading* find(std::string_view name) const {
    for (size_t i = 0; i < names.size(); ++i)
      if (same_name(names[i], name)) return &fields[i];
    return nullptr;
  }
  void mark(std::span<const std::string> path) {
    if (path.empty()) {
      all = true;
      return;
    }
    size_t i = 0;
    while (i < names.size() && !same_name(names[i], path[0])) ++i;
    if (i == names.size()) {
      names.push_back(path[0]);
      fields.emplace_back();
    }
    fields[i].mark(path.subspan(1));
  }
};

schema::Columns keep_read(const schema::Columns& columns, const Reading& reading) {
  schema::Columns kept;
  for (const auto& column : columns) {
    const Reading* found = reading.find(column.name);
    if (found == nullptr) continue;
    kept.push_back(column);
    if (found->all || column.type.kind != schema::Kind::kStruct) continue;
    auto fields = keep_read(column.type.children, *found);
    // A field that does not exist is for DuckDB to report, with all fields to choose from.
    if (fields.size() == found->fields.size()) kept.back().type.children = fields;
  }
  return kept;
}

// Whether a star leaves out, replaces or renames a column of this name.
bool changes(const json& star, std::string_view name) {
  bool found = false;
  auto look = [&](const json& node, const auto& self) -> void {
    if (node.is_string() && same_name(node.get<std::string>(), name)) found = true;
    if (!node.is_structured()) return;
    for (const auto& [key, child] : node.items()) {
      found = found || same_name(key, name);
      self(child, self);
    }
  };
  for (const char* list : {"exclude_list", "qualified_exclude_list", "replace_list", "rename_list"})
    if (auto at = star.find(list); at != star.end()) look(*at, look);
  return found;
}

// Where the first name that the error has in quotes stands as a word; 0 where it does not.
size_t quoted_name_position(std::string_view error, std::string_view sql) {
  auto begin = error.find('"');
  auto end = begin == error.npos ? begin : error.find('"', begin + 1);
  if (end == error.npos) return 0;
  auto name = error.substr(begin + 1, end - begin - 1);
  auto is_of_word = [&](size_t at) {
    return at < sql.size() &&
           (std::isalnum(static_cast<unsigned char>(sql[at])) != 0 || sql[at] == '_');
  };
  for (auto at = sql.find(name); at != sql.npos && !name.empty(); at = sql.find(name, at + 1))
    if (!is_of_word(at - 1) && !is_of_word(at + name.size())) return at;
  return 0;
}

}  // namespace

SelectStatement::SelectStatement(nlohmann::json tree, std::string text, size_t added)
    : tree_(std::move(tree)),
      input_(text_of(select()["from_table"], "table_name")),
      text_(std::move(text)),
      added_(added) {}

std::expected<SelectStatement, SqlProblem> SelectStatement::parse(Connection& connection,
                                                                  std::string_view sql,
                                                                  std::string_view input) {
  std::string text(sql);
  size_t added = 0;
  auto tree = parse_tree(connection, text);
  if (!tree) return std::unexpected(tree.error());
  if (text_of(select_of(*tree)["from_table"], "type") == "EMPTY") {
    // DuckDB lets FROM come first.
    std::string from = fmt::format("FROM {} ", quote_identifier(input));
    added = from.size();
    text = from + text;
    tree = parse_tree(connection, text);
    if (!tree) return std::unexpected(tree.error());
  }
  if (auto no = refused(select_of(*tree))) return std::unexpected(*no);
  SelectStatement statement(*std::move(tree), std::move(text), added);
  const json& from = statement.select()["from_table"];
  auto schema = text_of(from, "schema_name");
  if (!schema.empty())
    return std::unexpected(
        problem(location_of(from), fmt::format("FROM {}.{}: only {} can be read here, and no table",
                                               schema, statement.input(), input)));
  if (!same_name(statement.input(), input))
    return std::unexpected(
        problem(location_of(from),
                fmt::format("FROM {}: only {} can be read here", statement.input(), input)));
  return statement;
}

std::expected<SelectStatement, SqlProblem> SelectStatement::parse(Connection& connection,
                                                                  std::string_view sql) {
  auto tree = parse_tree(connection, std::string(sql));
  if (!tree) return std::unexpected(tree.error());
  if (auto no = refused(select_of(*tree))) return std::unexpected(*no);
  return SelectStatement(*std::move(tree), std::string(sql), 0);
}

schema::Columns SelectStatement::columns_read(const schema::Columns& columns) const {
  std::string alias = text_of(select()["from_table"], "alias");
  bool everything = false;
  Reading reading;
  walk(select(), [&](const json& node) {
    std::string kind = text_of(node, "class");
    if (kind == "STAR") everything = true;
    if (kind != "COLUMN_REF") return;
    auto path = node["column_names"].template get<std::vector<std::string>>();
    reading.mark(path);
    // The first name may be the input's own.
    if (path.size() > 1 && (same_name(path[0], input_) || same_name(path[0], alias)))
      reading.mark(std::span(path).subspan(1));
  });
  return everything ? columns : keep_read(columns, reading);
}

std::optional<std::string> SelectStatement::input_column(const schema::Columns& columns,
                                                         std::string_view output) const {
  std::string alias = text_of(select()["from_table"], "alias");
  const std::string& own_name = alias.empty() ? input_ : alias;
  auto column = [&](std::string_view name) -> std::optional<std::string> {
    auto found = std::ranges::find_if(columns, [&](auto& c) { return same_name(c.name, name); });
    return found == columns.end() ? std::nullopt : std::optional(found->name);
  };
  for (const json& item : select()["select_list"]) {
    std::string kind = text_of(item, "class");
    if (kind == "STAR" && text_of(item, "type") == "STAR" && !item.value("columns", false)) {
      std::string of = text_of(item, "relation_name");
      if ((of.empty() || same_name(of, own_name)) && !changes(item, output) && column(output))
        return column(output);
    }
    if (kind != "COLUMN_REF") continue;
    auto path = item["column_names"].get<std::vector<std::string>>();
    std::string name = text_of(item, "alias").empty() ? path.back() : text_of(item, "alias");
    if (!same_name(name, output)) continue;
    // A longer path may be a field of a STRUCT.
    bool is_own = path.size() == 2 && same_name(path[0], own_name) && !column(path[0]);
    return path.size() == 1 || is_own ? column(path.back()) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<SqlProblem> SelectStatement::whole_record(const schema::Columns& columns) const {
  std::string alias = text_of(select()["from_table"], "alias");
  const std::string& name = alias.empty() ? input_ : alias;
  auto is_name = [&](const json& node) {
    return text_of(node, "class") == "COLUMN_REF" && node["column_names"].size() == 1 &&
           same_name(node["column_names"][0].get<std::string>(), name);
  };
  bool is_other = std::ranges::any_of(columns, [&](auto& c) { return same_name(c.name, name); });
  std::optional<SqlProblem> found;
  walk(select(), [&](const json& node) {
    if (text_of(node, "class") == "LAMBDA")
      walk(node["lhs"], [&](const json& parameter) { is_other = is_other || is_name(parameter); });
    if (!found && is_name(node))
      found = problem(location_of(node),
                      fmt::format("{} is a whole record, not a value: name its columns", name));
  });
  return is_other ? std::nullopt : found;
}

Result<std::string> SelectStatement::with_record_column(Connection& connection) const {
  json tree = tree_;
  json& select = select_of(tree);
  std::string alias = text_of(select["from_table"], "alias");
  walk(select, [&](json& node) {
    if (text_of(node, "class") != "STAR" || text_of(node, "type") != "STAR") return;
    // The star of a STRUCT column has no such field.
    std::string of = text_of(node, "relation_name");
    if (of.empty() || same_name(of, input_) || same_name(of, alias))
      node["exclude_list"].push_back(kRecordColumn);
  });
  select["select_list"].push_back({{"class", "COLUMN_REF"},
                                   {"type", "COLUMN_REF"},
                                   {"alias", ""},
                                   {"column_names", json::array({kRecordColumn})}});
  return connection.query_text("SELECT json_deserialize_sql($1::JSON)", tree.dump());
}

size_t error_position(std::string_view error, std::string_view sql) {
  size_t mark = error.rfind("LINE ");
  if (mark == std::string_view::npos) return quoted_name_position(error, sql);
  size_t line_number = 0;
  auto number = error.substr(mark + 5);
  auto parsed = std::from_chars(number.data(), number.data() + number.size(), line_number);
  if (parsed.ec != std::errc{} || line_number == 0) return 0;
  // "LINE 3: some of the line" and below it, as far in, a caret.
  size_t shown = error.find(": ", mark);
  size_t shown_end = error.find('\n', mark);
  size_t caret = error.find('^', mark);
  if (shown == std::string_view::npos || shown_end == std::string_view::npos ||
      caret == std::string_view::npos)
    return 0;
  size_t into_shown = caret - (shown_end + 1);
  size_t prefix = shown + 2 - mark;
  if (into_shown < prefix) return 0;
  std::string_view shown_line = error.substr(shown + 2, shown_end - shown - 2);
  size_t skipped = shown_line.starts_with("...") ? 3 : 0;
  size_t line_start = 0;
  for (size_t line = 1; line < line_number; ++line) {
    size_t next = sql.find('\n', line_start);
    if (next == std::string_view::npos) return 0;
    line_start = next + 1;
  }
  std::string_view part = shown_line.substr(skipped);
  if (part.ends_with("...")) part.remove_suffix(3);
  size_t at = sql.find(part, line_start);
  if (at == std::string_view::npos) return line_start;
  return std::min(at + into_shown - prefix - skipped, sql.size());
}

std::string error_words(std::string_view error) {
  for (std::string_view kind :
       {"Binder Error: ", "Parser Error: ", "Catalog Error: ", "Conversion Error: ",
        "Invalid Input Error: ", "Out of Range Error: "})
    if (error.starts_with(kind)) error.remove_prefix(kind.size());
  size_t line = error.find("\n\nLINE ");
  if (line == std::string_view::npos) line = error.find("\nLINE ");
  std::string words(error.substr(0, line));
  // Candidates and hints come on lines of their own.
  std::string one_line;
  for (char c : words) {
    if (c != '\n')
      one_line += c;
    else if (!one_line.ends_with(' '))
      one_line += ' ';
  }
  // The hidden column is nothing to choose.
  auto hidden = fmt::format("\"{}\"", kRecordColumn);
  for (const auto& text : {", " + hidden, hidden + ", ", " Candidate bindings: " + hidden})
    if (size_t at = one_line.find(text); at != std::string::npos) one_line.erase(at, text.size());
  while (one_line.ends_with(' ')) one_line.pop_back();
  return one_line;
}

}  // namespace millrace::sql
