#include "spec/value.h"

#include <charconv>
#include <regex>

#include "base/text.h"
#include "base/time.h"
#include "schema/json_schema.h"

namespace millrace::spec {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kNameMax = 249;
// In editors a variable may stand for any value.
constexpr const char* kVariablePattern = "\\$\\{";

bool matches(std::string_view text, const std::string& pattern) {
  // std::regex recurses once per character, so what it sees must be short.
  return text.size() <= kNameMax && std::regex_match(text.begin(), text.end(), std::regex(pattern));
}

std::vector<std::string> names_of(const ObjectDoc& object) {
  std::vector<std::string> names;
  names.reserve(object.keys.size());
  for (const auto& key : object.keys) names.push_back(key.name);
  return names;
}

Json text_schema() {
  return {{"type", "string"}};
}

Json number_schema(int64_t min, int64_t max) {
  Json number = {{"type", "integer"}, {"minimum", min}};
  if (max < INT64_MAX) number["maximum"] = max;
  return {{"anyOf", {number, {{"type", "string"}, {"pattern", kVariablePattern}}}}};
}

template <class Integer>
Value<Integer> integer(Integer min, Integer max) {
  bool bounded = max < std::numeric_limits<Integer>::max();
  std::string label = bounded ? fmt::format("whole number, {} to {}", min, with_thousands(max))
                              : fmt::format("whole number, {} or more", min);
  return {{label, number_schema(min, bounded ? max : INT64_MAX), {}},
          [=](Reader& reader, const Item& item, Integer& to) {
            auto expected = "a " + label;
            auto text = reader.plain(item, expected);
            if (!text) return;
            Integer number = 0;
            auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
            if (error != std::errc() || end != text->data() + text->size() || number < min ||
                number > max)
              return reader.unexpected(item, expected, in_quotes(*text));
            to = number;
          },
          [](const Integer& number) { return std::to_string(number); }};
}

// One name or a list of them; empty: reported.
std::vector<std::string> read_names(Reader& reader, const Item& item, std::string_view expected) {
  std::vector<std::string> names;
  std::vector<YAML::Node> nodes;
  if (!item.node.IsSequence()) nodes.push_back(item.node);
  for (const auto& node : item.node)
    if (item.node.IsSequence()) nodes.push_back(node);
  for (const auto& node : nodes) {
    auto name = reader.plain({node, item.named}, expected);
    if (!name) return {};
    if (name->empty()) {
      reader.unexpected({node, item.named}, expected, "nothing");
      return {};
    }
    names.push_back(*std::move(name));
  }
  if (names.empty()) reader.unexpected(item, expected, "an empty list");
  return names;
}

void check_twice(Reader& reader, const Item& item, std::vector<std::string> columns,
                 std::string_view where) {
  std::ranges::sort(columns);
  if (auto twice = std::ranges::adjacent_find(columns); twice != columns.end())
    reader.error(reader.place(item.node), "column {} stands in {} twice", in_quotes(*twice), where);
}

void read_primary_key(Reader& reader, const Item& item, TableSpec& table) {
  constexpr std::string_view kExpected = "a column, or a list such as [id] or [[a, b], c]";
  // Initialized once: to assign to a YAML::Node is to change the document.
  YAML::Node first =
      item.node.IsSequence() && item.node.size() > 0 ? item.node[0] : YAML::Node(item.node);
  table.partition_key = read_names(reader, {first, item.named}, kExpected);
  for (size_t i = 1; item.node.IsSequence() && i < item.node.size(); ++i) {
    auto column = reader.plain({item.node[i], item.named}, kExpected);
    if (!column) return;
    if (column->empty()) return reader.unexpected(item, kExpected, "a column without a name");
    table.clustering_key.push_back(*std::move(column));
  }
  auto all = table.partition_key;
  all.insert(all.end(), table.clustering_key.begin(), table.clustering_key.end());
  check_twice(reader, item, std::move(all), "the primary key");
}

}  // namespace

std::string in_quotes(std::string_view text) {
  return fmt::format("'{}'", excerpt(text, 60));
}

void check_name(Reader& reader, const Place& place, std::string_view name, const NameRule& rule) {
  if (!matches(name, rule.pattern))
    reader.error(place, "{} cannot be {}: {}", in_quotes(name), rule.noun, rule.words);
}

Shape object_shape(ObjectDoc doc) {
  Json schema = {{"type", "object"}, {"description", doc.doc}, {"properties", Json::object()}};
  for (const auto& key : doc.keys) {
    auto& property = schema["properties"][key.name];
    property = key.shape.schema;
    property["description"] = key.doc;
    if (!key.default_text.empty()) {
      auto number = Json::parse(key.default_text, nullptr, false);
      property["default"] = number.is_number() ? number : Json(key.default_text);
    }
    if (key.required) schema["required"].push_back(key.name);
  }
  schema["additionalProperties"] = false;
  std::string label = fmt::format("[{0}](#{0})", doc.title);
  return {std::move(label), std::move(schema), {std::move(doc)}};
}

Shape map_shape(Shape of, const NameRule& names) {
  Json schema = {{"type", "object"},
                 {"patternProperties", {{names.pattern, std::move(of.schema)}}},
                 {"additionalProperties", false}};
  return {"map from name to " + of.label, std::move(schema), std::move(of.objects)};
}

std::string expectation(const ObjectDoc& object) {
  return fmt::format("a map with keys of {} ({})", object.title, fmt::join(names_of(object), ", "));
}

void unknown_key(Reader& reader, const Entry& entry, const ObjectDoc& object) {
  auto names = names_of(object);
  auto meant = did_you_mean(entry.key, names);
  if (meant.empty())
    reader.error(entry.item.named, "unknown key {}; {} takes {}", in_quotes(entry.key),
                 object.title, fmt::join(names, ", "));
  else
    reader.error(entry.item.named, "unknown key {}; did you mean '{}'?", in_quotes(entry.key),
                 meant);
}

void missing_key(Reader& reader, const Item& item, const KeyDoc& key, const ObjectDoc& object) {
  reader.error(item.named, "{} has no '{}': {}", object.title, key.name, key.doc);
}

Value<Text> text() {
  return {{"text", text_schema(), {}}, [](Reader& reader, const Item& item, Text& to) {
            if (auto text = reader.text(item, "text")) to = *std::move(text);
          }};
}

Value<Text> url(const std::vector<std::string>& schemes) {
  std::vector<std::string> beginnings;
  beginnings.reserve(schemes.size());
  for (const auto& scheme : schemes) beginnings.push_back(scheme + "://");
  std::string pattern = fmt::format("^({})|{}", fmt::join(beginnings, "|"), kVariablePattern);
  std::string expected =
      fmt::format("an address that begins with {}", fmt::join(beginnings, " or "));
  return {{"address", {{"type", "string"}, {"pattern", pattern}}, {}},
          [=](Reader& reader, const Item& item, Text& to) {
            auto text = reader.text(item, expected);
            if (!text) return;
            to = *text;
            bool known = std::ranges::any_of(beginnings, [&](const std::string& beginning) {
              return text->value.starts_with(beginning) && text->value.size() > beginning.size();
            });
            if (!known)
              reader.unexpected(item, expected, in_quotes(text->shown));
            else if (std::ranges::any_of(text->value, [](char c) { return c >= 0 && c <= ' '; }))
              reader.error(text->place, "an address has no spaces or line breaks in it: {}",
                           in_quotes(text->shown));
          }};
}

Value<std::string> word(std::string label) {
  return {{label, text_schema(), {}},
          [label](Reader& reader, const Item& item, std::string& to) {
            auto text = reader.plain(item, "a " + label);
            if (!text) return;
            if (text->empty()) reader.unexpected(item, "a " + label, "nothing");
            to = *std::move(text);
          },
          [](const std::string& text) { return text; }};
}

Value<std::string> name(const NameRule& rule) {
  return {{"name", {{"type", "string"}, {"pattern", rule.pattern + "|" + kVariablePattern}}, {}},
          [rule](Reader& reader, const Item& item, std::string& to) {
            auto text = reader.plain(item, rule.noun);
            if (!text) return;
            check_name(reader, reader.place(item.node), *text, rule);
            to = *std::move(text);
          }};
}

Value<int64_t> whole_number(int64_t min, int64_t max) {
  return integer<int64_t>(min, max);
}
Value<int32_t> small_number(int32_t min, int32_t max) {
  return integer<int32_t>(min, max);
}

Value<std::chrono::milliseconds> duration(std::chrono::milliseconds min) {
  using std::chrono::milliseconds;
  std::string pattern = fmt::format("^[0-9]{{1,7}}(ms|s|m|h|d)$|{}", kVariablePattern);
  return {{"duration", {{"type", "string"}, {"pattern", pattern}}, {}},
          [min](Reader& reader, const Item& item, milliseconds& to) {
            auto text = reader.plain(item, "a duration such as 10s");
            if (!text) return;
            auto parsed = parse_duration(*text);
            if (!parsed) return reader.unexpected(item, "a duration such as 10s", in_quotes(*text));
            if (*parsed < min)
              return reader.unexpected(
                  item, fmt::format("a duration of {} or more", format_duration(min)),
                  in_quotes(*text));
            to = *parsed;
          },
          [](const milliseconds& duration) { return format_duration(duration); }};
}

Value<int64_t> size(int64_t min, int64_t max) {
  std::string pattern = fmt::format("^[0-9]{{1,10}}([KMGT]i?)?B$|{}", kVariablePattern);
  return {{"size", {{"type", "string"}, {"pattern", pattern}}, {}},
          [=](Reader& reader, const Item& item, int64_t& to) {
            auto text = reader.plain(item, "a size such as 64MiB");
            if (!text) return;
            auto parsed = parse_size(*text);
            if (!parsed) return reader.unexpected(item, "a size such as 64MiB", in_quotes(*text));
            if (*parsed < min || *parsed > max)
              return reader.unexpected(
                  item, fmt::format("a size from {} to {}", format_size(min), format_size(max)),
                  in_quotes(*text));
            to = *parsed;
          },
          [](const int64_t& bytes) { return format_size(bytes); }};
}

Value<Sql> sql(std::string label) {
  return {{std::move(label), text_schema(), {}}, [](Reader& reader, const Item& item, Sql& to) {
            if (auto sql = reader.sql(item)) to = *std::move(sql);
          }};
}

Value<std::vector<std::string>> path() {
  Json list = {{"type", "array"}, {"items", text_schema()}};
  return {{"path", {{"anyOf", {text_schema(), list}}}, {}},
          [](Reader& reader, const Item& item, std::vector<std::string>& to) {
            constexpr std::string_view kExpected = "a path such as results or data.users";
            auto keys = read_names(reader, item, kExpected);
            if (keys.empty() || item.node.IsSequence()) {
              to = std::move(keys);
              return;
            }
            std::string_view rest = keys[0];
            for (bool more = true; more;) {
              auto key = rest.substr(0, rest.find('.'));
              if (key.empty()) return reader.unexpected(item, kExpected, in_quotes(keys[0]));
              to.emplace_back(key);
              more = key.size() < rest.size();
              rest.remove_prefix(std::min(key.size() + 1, rest.size()));
              if (more && rest.empty())
                return reader.unexpected(item, kExpected, in_quotes(keys[0]));
            }
          }};
}

Value<std::vector<std::string>> columns() {
  Json list = {{"type", "array"}, {"minItems", 1}, {"items", text_schema()}};
  return {{"column, or list of columns", {{"anyOf", {text_schema(), list}}}, {}},
          [](Reader& reader, const Item& item, std::vector<std::string>& to) {
            to = read_names(reader, item, "a column, or a list such as [a, b]");
            check_twice(reader, item, to, "the key");
          }};
}

Shape schema_shape() {
  return {"file name", text_schema(), {}};
}

void read_schema(Reader& reader, const Item& item, std::string& file, schema::Columns& columns) {
  auto name = reader.plain(item, "the name of a JSON Schema file");
  if (!name) return;
  file = *name;
  if (name->empty()) return reader.unexpected(item, "the name of a JSON Schema file", "nothing");
  auto content = reader.file(*name);
  if (!content) return reader.error(reader.place(item.node), "{}", content.error().message());
  auto read = schema::columns_from_json_schema(*content);
  if (!read) return reader.error(reader.place(item.node), "{}: {}", *name, read.error().message());
  columns = *std::move(read);
}

Value<TableSpec> primary_key() {
  Json list = {
      {"type", "array"},
      {"minItems", 1},
      {"items", {{"anyOf", {text_schema(), {{"type", "array"}, {"items", text_schema()}}}}}}};
  return {{"column, or list of columns", {{"anyOf", {text_schema(), list}}}, {}}, read_primary_key};
}

}  // namespace millrace::spec
