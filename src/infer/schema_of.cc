#include "infer/schema_of.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "base/uuid.h"
#include "schema/json_schema.h"

namespace millrace::infer {
namespace {

using Json = nlohmann::ordered_json;

// Objects with so many different keys, of which each has a few, are maps.
constexpr size_t kMapKeysMin = 16;
constexpr size_t kMapShareMax = 3;  // a key stands in at most every third object

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

bool is_data(const std::string& key) {
  bool digits = std::ranges::all_of(key, [](char c) { return c >= '0' && c <= '9'; });
  return (digits && !key.empty()) || parse_uuid(key) || parse_timestamp(key);
}

// Builds the schema to a depth, beyond which objects are kept as their JSON text.
class Builder {
 public:
  Builder(std::vector<std::string>& notes, size_t depth_max)
      : notes_(notes), depth_max_(depth_max) {}

  Json object(const Observation& of, const std::string& path, size_t depth);

 private:
  Json value(const Observation& of, const std::string& path, size_t depth);
  Json one_kind(const Observation& of, const std::string& path, size_t depth);
  Json number(const Observation& of, const std::string& path);
  Json map(const Observation& of, const std::string& path, size_t depth);
  void note(const std::string& path, const std::string& words) {
    notes_.push_back(path + ": " + words);
  }

  std::vector<std::string>& notes_;
  size_t depth_max_;
};

std::string joined(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

Json Builder::object(const Observation& of, const std::string& path, size_t depth) {
  Json schema = {{"type", "object"}};
  if (of.members.empty()) {
    note(path, "only empty objects so far, kept as JSON text");
    return schema;
  }
  if (depth > depth_max_) {
    note(path, "too many fields in all, so this object is kept as JSON text");
    return schema;
  }
  if (depth > 0 && is_map(of)) return map(of, path, depth);
  Json properties = Json::object();
  Json required = Json::array();
  std::set<std::string> names;
  for (const auto& member : of.members) {
    auto at = joined(path, member.name);
    if (member.name.empty() || !names.insert(lower(member.name)).second) {
      note(at, member.name.empty() ? "a field without a name was left out"
                                   : "left out, since another field differs from it only by upper "
                                     "and lower case");
      continue;
    }
    properties[member.name] = value(*member.observation, at, depth);
    if (member.in_objects == of.objects) required.push_back(member.name);
  }
  // Without a property it would take any object.
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

Json Builder::map(const Observation& of, const std::string& path, size_t depth) {
  Observation values;
  for (const auto& member : of.members) values.merge(*member.observation);
  note(path, fmt::format("taken for a map, since its {} keys look like data",
                         with_thousands(std::ssize(of.members))));
  return {{"type", "object"}, {"additionalProperties", value(values, path + ".*", depth + 1)}};
}

Json Builder::number(const Observation& of, const std::string& path) {
  if (of.fractions > 0) {
    if (of.beyond_double) {
      note(path, "numbers that a DOUBLE cannot hold, so they are kept as text");
      return {{"type", {"number", "string"}}};
    }
    if (of.beyond_53_bits)
      note(path, "fractions beside integers of more than 15 digits, which a DOUBLE rounds");
    return {{"type", "number"}};
  }
  if (of.beyond_128_bits) {
    note(path, "integers of more than 128 bits, so they are kept as text");
    return {{"type", {"integer", "string"}}};
  }
  if (of.beyond_64_bits) return {{"type", "integer"}, {"format", "int128"}};
  return {{"type", "integer"}};
}

std::optional<std::string> format_of(const Observation& of) {
  if ((of.forms & kUuidForm) != 0) return "uuid";
  if ((of.forms & kDateForm) != 0) return "date";
  if ((of.forms & kTimestampForm) != 0) return "date-time";
  if ((of.forms & kTimeForm) != 0) return "time";
  if ((of.forms & kEmailForm) != 0) return "email";
  if ((of.forms & kUriForm) != 0) return "uri";
  return std::nullopt;
}

// Of values that are all of one kind, but for nulls.
Json Builder::one_kind(const Observation& of, const std::string& path, size_t depth) {
  if (of.booleans > 0) return {{"type", "boolean"}};
  if (of.numbers() > 0) return number(of, path);
  if (of.objects > 0) return object(of, path, depth + 1);
  if (of.strings > 0) {
    Json schema = {{"type", "string"}};
    if (auto format = format_of(of)) schema["format"] = *format;
    return schema;
  }
  Json schema = {{"type", "array"}};
  if (of.element == nullptr)
    note(path, "only empty lists so far, kept as JSON text");
  else
    schema["items"] = value(*of.element, path + "[]", depth + 1);
  return schema;
}

Json Builder::value(const Observation& of, const std::string& path, size_t depth) {
  std::vector<std::pair<const char*, size_t>> kinds;
  auto add = [&](const char* kind, size_t count) {
    if (count > 0) kinds.emplace_back(kind, count);
  };
  add("boolean", of.booleans);
  add(of.fractions > 0 ? "number" : "integer", of.numbers());
  add("string", of.strings);
  add("object", of.objects);
  add("array", of.arrays);
  if (kinds.empty()) {
    note(path, "only null so far, so any value is taken");
    return Json::object();
  }
  Json schema;
  if (kinds.size() == 1) {
    schema = one_kind(of, path, depth);
  } else {
    std::string words;
    schema["type"] = Json::array();
    for (const auto& [kind, count] : kinds) {
      schema["type"].push_back(kind);
      words += fmt::format("{}{} ({})", words.empty() ? "" : " and ", kind,
                           with_thousands(static_cast<int64_t>(count)));
    }
    note(path, words + ", which become one column of text");
  }
  if (of.nulls > 0) {
    if (!schema["type"].is_array()) schema["type"] = Json::array({schema["type"]});
    schema["type"].push_back("null");
  }
  return schema;
}

}  // namespace

bool is_map(const Observation& object) {
  const auto& members = object.members;
  if (members.size() >= 2 &&
      std::ranges::all_of(members, [](const auto& member) { return is_data(member.name); }))
    return true;
  size_t in_all = 0;
  for (const auto& member : members) in_all += member.in_objects;
  return members.size() >= kMapKeysMin && in_all * kMapShareMax <= members.size() * object.objects;
}

Json schema_of(const Observation& items, std::vector<std::string>& notes) {
  const auto noted = notes.size();
  Json schema;
  for (size_t depth_max : {limits::kJsonDepthMax / 2, size_t{4}, size_t{2}, size_t{1}, size_t{0}}) {
    notes.resize(noted);
    schema = Builder(notes, depth_max).object(items, "", 0);
    if (schema::columns_from_json_schema(schema.dump())) return schema;
  }
  // Even without looking inside: as many of the first fields as there may be.
  notes.push_back(
      fmt::format("the items have more fields than the {} that there may be; the rest "
                  "was left out",
                  limits::kColumnsMax));
  auto& properties = schema["properties"];
  while (properties.size() > limits::kColumnsMax) properties.erase(std::prev(properties.end()));
  if (schema.contains("required"))
    std::erase_if(schema["required"].get_ref<Json::array_t&>(),
                  [&](const Json& name) { return !properties.contains(name.get<std::string>()); });
  return schema;
}

}  // namespace millrace::infer
