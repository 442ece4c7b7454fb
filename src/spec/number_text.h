// What of a YAML scalar's text is a number: std::regex would do, but takes milliseconds to compile
// and recurses once per character.
#pragma once

#include <string_view>

namespace millrace::spec {

// RFC 8259, section 6.
bool is_json_number(std::string_view text);
// What YAML 1.2 (10.3.2) takes for a number: also 0o17, 0x1f, .5, 1., +1, -.inf and .nan.
bool is_yaml_number(std::string_view text);
// Digits, with or without a sign before them.
bool is_whole_number(std::string_view text);

}  // namespace millrace::spec
