// UUIDs as 16 bytes in network order (RFC 9562), and as the 36-character text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

struct Uuid {
  std::array<uint8_t, 16> bytes{};
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

// 8-4-4-4-12 hexadecimal digits of either case; nothing else (no braces, no urn:uuid:).
std::optional<Uuid> parse_uuid(std::string_view text);
// Lower case, written into `to`, which has room for 36 characters.
void write_uuid(const Uuid& uuid, char* to);
std::string to_string(const Uuid& uuid);
// Version 4, from the operating system's random numbers.
Uuid random_uuid();

}  // namespace millrace
