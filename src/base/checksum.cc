#include "base/checksum.h"

#include <nmmintrin.h>

#include <cstring>

namespace millrace {

uint32_t crc32c(std::string_view bytes, uint32_t so_far) {
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t crc = ~so_far;
  while (left >= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    crc = _mm_crc32_u64(crc, word);
    at += 8;
    left -= 8;
  }
  auto crc32 = static_cast<uint32_t>(crc);
  while (left > 0) {
    crc32 = _mm_crc32_u8(crc32, static_cast<unsigned char>(*at));
    ++at;
    --left;
  }
  return ~crc32;
}

}  // namespace millrace
