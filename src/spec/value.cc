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

// Keys that are none, and what people who write them are after.
struct Instead {
  std::string_view title;  // of the object
  std::string_view key;
  std::string_view words;
};
constexpr Instead kInstead[] = {
    {"the file", "schedule",
     "is not there yet; start `millrace up FILE --once` from cron or a systemd timer"},
    {"topic", "columns",
     "is no key of a topic: its columns are those of the select that feeds it; where none does, "
     "write a `schema`"},
};

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
  for (const auto& instead : kInstead)
    if (instead.title == object.title && instead.key == entry.key)
      return reader.error(entry.item.named, "{} {}", in_quotes(entry.key), instead.words);
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

Value<double> share() {
  std::string pattern = fmt::format("^[0-9]{{1,3}}(\\.[0-9]{{1,9}})?%$|{}", kVariablePattern);
  Json plain = {{"type", "number"}, {"minimum", 0}, {"maximum", 1}};
  return {{"share: `1%` or `0.01`",
           {{"anyOf", {plain, {{"type", "string"}, {"pattern", pattern}}}}},
           {}},
          [](Reader& reader, const Item& item, double& to) {
            constexpr std::string_view kExpected = "a share from 0% to 100%, such as 1% or 0.01";
            auto text = reader.plain(item, kExpected);
            if (!text) return;
            std::string_view digits = *text;
            bool percent = digits.ends_with('%');
            if (percent) digits.remove_suffix(1);
            double number = -1;
            auto [end, error] =
                std::from_chars(digits.data(), digits.data() + digits.size(), number);
            if (percent) number /= 100;
            if (error != std::errc() || end != digits.data() + digits.size() ||
                !(number >= 0 && number <= 1))
              return reader.unexpected(item, kExpected, in_quotes(*text));
            to = number;
          },
          [](const double& share) { return fmt::format("{:g}%", share * 100); }};
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

}  // namespace millrace::spec
