// A slow, plain decoder (nlohmann::json) to hold JsonDecoder against: the columns both read, and
// whether what they read is the same.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sql {

inline constexpr const char* kPlainSchema = R"({"type": "object", "properties": {
  "i": {"type": ["integer", "null"]}, "d": {"type": ["number", "null"]},
  "s": {"type": ["string", "null"]}, "b": {"type": ["boolean", "null"]},
  "l": {"type": ["array", "null"], "items": {"type": ["integer", "null"]}},
  "o": {"type": ["object", "null"], "properties": {"s": {"type": ["string", "null"]},
                                         "any": true}}}})";

// Unknown: a number that no double is near to, or where decoders may differ.
enum class PlainResult { kJson, kNoJson, kUnknown };

inline PlainResult plain_decode(std::string_view text, nlohmann::json& document) {
  // nlohmann::json takes a zero byte for the end, and passes over a byte order mark.
  if (text.find('\0') != std::string_view::npos) return PlainResult::kNoJson;
  if (text.starts_with("\xef\xbb\xbf")) return PlainResult::kUnknown;
  try {
    document = nlohmann::json::parse(text);
    return PlainResult::kJson;
  } catch (const nlohmann::json::out_of_range&) {
    return PlainResult::kUnknown;
  } catch (const nlohmann::json::parse_error&) {
    return PlainResult::kNoJson;
  }
}

// Where a row (as JsonWriter writes it) differs from the document; nothing read is NULL.
inline std::optional<std::string> difference(const nlohmann::json& document,
                                             const nlohmann::json& row) {
  using nlohmann::json;
  auto get = [](const json& object, const char* key) {
    return object.is_object() && object.contains(key) ? object[key] : json();
  };
  for (const char* key : {"i", "d", "s", "b", "l"}) {
    json value = get(document, key);
    if (value != row[key])
      return std::string(key) + ": " + value.dump() + " and " + row[key].dump();
  }
  json object = get(document, "o");
  json any = get(object, "any");
  json text = get(row["o"], "any");
  // A string's own text, any other value's JSON.
  json read_back = any.is_string() || any.is_null()
                       ? text
                       : json::parse(text.is_string() ? text.get<std::string>() : "");
  if (get(object, "s") != get(row["o"], "s")) return "o.s";
  if (any != read_back) return "o.any: " + any.dump() + " and " + text.dump();
  return std::nullopt;
}

// Whether each column's value is of its type without doubt, so that the row must be taken. Not of
// text in which a key stands twice.
inline bool must_be_taken(const nlohmann::json& document) {
  using nlohmann::json;
  auto fits = [](const json& object, const char* key, auto&& is_of_type) {
    return !object.contains(key) || object[key].is_null() || is_of_type(object[key]);
  };
  auto is_integer = [](const json& value) {
    return value.is_number_integer() &&
           (!value.is_number_unsigned() || value.get<uint64_t>() <= uint64_t{INT64_MAX});
  };
  auto is_list = [&](const json& value) {
    return value.is_array() && std::ranges::all_of(value, [&](const json& item) {
             return item.is_null() || is_integer(item);
           });
  };
  auto is_string = [](const json& value) { return value.is_string(); };
  auto is_object = [&](const json& value) {
    return value.is_object() && fits(value, "s", is_string);
  };
  return document.is_object() && fits(document, "i", is_integer) &&
         fits(document, "d", [](const json& value) { return value.is_number(); }) &&
         fits(document, "s", is_string) &&
         fits(document, "b", [](const json& value) { return value.is_boolean(); }) &&
         fits(document, "l", is_list) && fits(document, "o", is_object);
}

inline bool has_a_key_twice(std::string_view text) {
  using nlohmann::json;
  bool twice = false;
  std::vector<std::set<std::string>> keys;
  auto parsed = json::parse(text, [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key) twice |= !keys.back().insert(value).second;
    return true;
  });
  return twice;
}

}  // namespace millrace::sql
