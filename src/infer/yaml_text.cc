#include "infer/yaml_text.h"

#include <algorithm>

namespace millrace::infer {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kColumns = 100;

bool is_plain_key(const std::string& key) {
  auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (key.empty() || !is_letter(key[0])) return false;
  std::string lower = key;
  std::ranges::transform(lower, lower.begin(), [](char c) { return static_cast<char>(c | 32); });
  if (lower == "null" || lower == "true" || lower == "false") return false;
  return std::ranges::all_of(
      key, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::string key_text(const std::string& key) {
  return is_plain_key(key) ? key : Json(key).dump();
}

std::string in_one_line(const Json& value) {
  if (value.is_string()) return yaml_text(value.get_ref<const std::string&>());
  if (!value.is_structured()) return value.dump();
  std::string text;
  for (const auto& [key, member] : value.items()) {
    if (!text.empty()) text += ", ";
    if (value.is_object()) text += key_text(key) + ": ";
    text += in_one_line(member);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

}  // namespace

std::string yaml_text(std::string_view text) {
  std::string escaped;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) escaped += '$';
    escaped += text[i];
  }
  return yaml_text_with_variables(escaped);
}

std::string yaml_text_with_variables(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string yaml_value(const Json& value, size_t indent) {
  auto line = in_one_line(value);
  // Keys stand before it; most are short.
  if (!value.is_structured() || value.empty() || indent + line.size() + 20 < kColumns)
    return " " + line;
  std::string text;
  for (const auto& [key, member] : value.items()) {
    text += "\n" + std::string(indent, ' ');
    text += value.is_object() ? key_text(key) + ":" : "-";
    text += yaml_value(member, indent + 2);
  }
  return text;
}

}  // namespace millrace::infer
