// The text of JSON values that simdjson walks over. Inside sql/ only.
#pragma once

#include <simdjson.h>

#include <string_view>

namespace millrace::sql {

// A token without the white space behind it, as JSON has it.
inline std::string_view trimmed(std::string_view token) {
  auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
  return token;
}

// The whole text of a value, which is passed over.
inline simdjson::error_code whole_text(simdjson::ondemand::value& value, std::string_view& text) {
  std::string_view token = value.raw_json_token();
  simdjson::error_code code = simdjson::SUCCESS;
  if (token.starts_with('{')) {
    simdjson::ondemand::object object;
    code = value.get_object().get(object);
    if (code == simdjson::SUCCESS) code = object.raw_json().get(token);
  } else if (token.starts_with('[')) {
    simdjson::ondemand::array array;
    code = value.get_array().get(array);
    if (code == simdjson::SUCCESS) code = array.raw_json().get(token);
  }
  text = trimmed(token);
  return code;
}

}  // namespace millrace::sql
