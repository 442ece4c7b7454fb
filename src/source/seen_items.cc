#include "source/seen_items.h"

#include <algorithm>
#include <cstring>

namespace millrace::source {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr size_t kItemBytes = sizeof(uint64_t) + sizeof(Int128);
constexpr size_t kItemDigits = 2 * kItemBytes;

// The finalizer of MurmurHash3.
uint64_t mixed(uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

}  // namespace

uint64_t SeenItems::hash(std::string_view item) {
  uint64_t hash = mixed(item.size() + 1);
  while (!item.empty()) {
    uint64_t word = 0;
    size_t size = std::min(item.size(), sizeof(word));
    std::memcpy(&word, item.data(), size);
    hash = mixed(hash ^ word);
    item.remove_prefix(size);
  }
  return hash;
}

uint64_t SeenItems::hash_again(uint64_t hash) {
  return mixed(hash + 1);
}

std::string SeenItems::to_text() const {
  std::string text;
  text.reserve(positions_.size() * kItemDigits);
  for (const auto& [hash, position] : positions_) {
    char bytes[kItemBytes];
    std::memcpy(bytes, &hash, sizeof(hash));
    std::memcpy(bytes + sizeof(hash), &position, sizeof(position));
    for (char byte : bytes) {
      text += kDigits[static_cast<uint8_t>(byte) >> 4];
      text += kDigits[static_cast<uint8_t>(byte) & 15];
    }
  }
  return text;
}

std::optional<SeenItems> SeenItems::from_text(std::string_view text) {
  if (text.size() % kItemDigits != 0) return std::nullopt;
  SeenItems seen;
  for (; !text.empty(); text.remove_prefix(kItemDigits)) {
    char bytes[kItemBytes];
    for (size_t i = 0; i < kItemBytes; ++i) {
      auto high = kDigits.find(text[2 * i]);
      auto low = kDigits.find(text[2 * i + 1]);
      if (high == kDigits.npos || low == kDigits.npos) return std::nullopt;
      bytes[i] = static_cast<char>(high << 4 | low);
    }
    uint64_t hash = 0;
    Int128 position = 0;
    std::memcpy(&hash, bytes, sizeof(hash));
    std::memcpy(&position, bytes + sizeof(hash), sizeof(position));
    seen.add(hash, position);
  }
  return seen;
}

}  // namespace millrace::source
