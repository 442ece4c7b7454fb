// A slow, plain decoder (nlohmann::json) to hold JsonDecoder against: the columns both read, and
// whether what they read is the same.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

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
    bool same = value.is_number() && row[key].is_number()
                    ? value.get<double>() == row[key].get<double>()
                    : value == row[key];
    if (!same) return std::string(key) + ": " + value.dump() + " and " + row[key].dump();
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

}  // namespace millrace::sql
