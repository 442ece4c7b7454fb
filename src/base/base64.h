// Bytes as letters and digits (RFC 4648, section 4), with padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace {

// Nothing where the text is no base64.
std::optional<std::string> decode_base64(std::string_view text);
void append_base64(std::string_view bytes, std::string& to);

}  // namespace millrace
