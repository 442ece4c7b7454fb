#include "source/json.h"

#include <fmt/format.h>

namespace millrace::source {

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  size_t written = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    to.append(text, written, i - written);
    written = i + 1;
    if (byte >= 0x20) {
      to += '\\';
      to += text[i];
    } else {
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", byte);
    }
  }
  to.append(text, written);
  to += '"';
}

}  // namespace millrace::source
