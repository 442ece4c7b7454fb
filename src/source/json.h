// Writing JSON text piece by piece into a string.
#pragma once

#include <string>
#include <string_view>

namespace millrace::source {

// Appends a JSON string of well-formed UTF-8, quotes included.
void append_json_string(std::string& to, std::string_view text);

}  // namespace millrace::source
