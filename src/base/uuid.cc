#include "base/uuid.h"

#include <sys/random.h>

#include "base/check.h"

namespace millrace {
namespace {

constexpr std::array<int8_t, 256> kHexValue = [] {
  std::array<int8_t, 256> table{};
  table.fill(-1);
  for (int digit = 0; digit < 10; ++digit)
    table[static_cast<size_t>('0' + digit)] = static_cast<int8_t>(digit);
  for (int digit = 0; digit < 6; ++digit) {
    table[static_cast<size_t>('a' + digit)] = static_cast<int8_t>(10 + digit);
    table[static_cast<size_t>('A' + digit)] = static_cast<int8_t>(10 + digit);
  }
  return table;
}();

// Where in the text each byte's two digits begin.
constexpr std::array<uint8_t, 16> kDigitsAt = {0,  2,  4,  6,  9,  11, 14, 16,
                                               19, 21, 24, 26, 28, 30, 32, 34};

}  // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  Uuid uuid;
  int invalid = 0;
  for (size_t i = 0; i < 16; ++i) {
    int high = kHexValue[static_cast<uint8_t>(text[kDigitsAt[i]])];
    int low = kHexValue[static_cast<uint8_t>(text[kDigitsAt[i] + 1u])];
    invalid |= high | low;  // a -1 makes the whole negative
    uuid.bytes[i] = static_cast<uint8_t>((high << 4) | (low & 0xf));
  }
  if (invalid < 0) return std::nullopt;
  return uuid;
}

void write_uuid(const Uuid& uuid, char* to) {
  static constexpr char kDigits[] = "0123456789abcdef";
  to[8] = to[13] = to[18] = to[23] = '-';
  for (size_t i = 0; i < 16; ++i) {
    to[kDigitsAt[i]] = kDigits[uuid.bytes[i] >> 4];
    to[kDigitsAt[i] + 1u] = kDigits[uuid.bytes[i] & 0xf];
  }
}

std::string to_string(const Uuid& uuid) {
  std::string text(36, '\0');
  write_uuid(uuid, text.data());
  return text;
}

Uuid random_uuid() {
  Uuid uuid;
  MR_CHECK(getrandom(uuid.bytes.data(), uuid.bytes.size(), 0) == 16);
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

}  // namespace millrace
