#include "store/token.h"

#include <bit>
#include <cstring>

namespace millrace::store {
namespace {

constexpr uint64_t kC1 = 0x87c37b91114253d5;
constexpr uint64_t kC2 = 0x4cf5ad432745937f;

uint64_t load_le(const char* from) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

uint64_t mix1(uint64_t k) {
  return std::rotl(k * kC1, 31) * kC2;
}
uint64_t mix2(uint64_t k) {
  return std::rotl(k * kC2, 33) * kC1;
}

uint64_t finish(uint64_t k) {
  k ^= k >> 33;
  k *= 0xff51afd7ed558ccd;
  k ^= k >> 33;
  k *= 0xc4ceb9fe1a85ec53;
  return k ^ (k >> 33);
}

// Up to 8 bytes of the tail. A byte from 0x80 sets all bits above it too: Java's bytes are signed.
uint64_t tail(std::string_view bytes) {
  uint64_t k = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    k ^= static_cast<uint64_t>(static_cast<int64_t>(static_cast<signed char>(bytes[i]))) << (8 * i);
  return k;
}

}  // namespace

int64_t murmur3_token(std::string_view key) {
  uint64_t h1 = 0;
  uint64_t h2 = 0;
  std::string_view rest = key;
  for (; rest.size() >= 16; rest.remove_prefix(16)) {
    h1 ^= mix1(load_le(rest.data()));
    h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= mix2(load_le(rest.data() + 8));
    h2 = (std::rotl(h2, 31) + h1) * 5 + 0x38495ab5;
  }
  if (rest.size() > 8) h2 ^= mix2(tail(rest.substr(8)));
  if (!rest.empty()) h1 ^= mix1(tail(rest.substr(0, 8)));
  h1 ^= key.size();
  h2 ^= key.size();
  h1 += h2;
  h2 += h1;
  uint64_t token = finish(h1) + finish(h2);
  auto signed_token = static_cast<int64_t>(token);
  return signed_token == INT64_MIN ? INT64_MAX : signed_token;
}

}  // namespace millrace::store
