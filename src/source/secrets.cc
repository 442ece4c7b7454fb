#include "source/secrets.h"

#include <algorithm>
#include <cstddef>
#include <functional>

namespace millrace::source {
namespace {

constexpr std::string_view kMask = "***";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// How many bytes at the front of `text` stand for `c`; 0 where they do not.
size_t bytes_of(char c, std::string_view text) {
  if (text.size() >= 3 && text[0] == '%' && hex_value(text[1]) >= 0 && hex_value(text[2]) >= 0) {
    auto encoded = static_cast<char>(hex_value(text[1]) * 16 + hex_value(text[2]));
    if (lower(encoded) == lower(c)) return 3;
  }
  if (text.size() >= 2 && text[0] == '\\' && lower(text[1]) == lower(c)) return 2;
  bool same = !text.empty() && (lower(text[0]) == lower(c) || (c == ' ' && text[0] == '+'));
  return same ? 1 : 0;
}

// How many bytes at the front of `text` are the secret, as it is or encoded; 0: it is not there.
size_t match(std::string_view secret, std::string_view text) {
  if (text.size() >= secret.size() &&
      std::ranges::equal(secret, text.substr(0, secret.size()), {}, lower, lower)) {
    return secret.size();
  }
  size_t at = 0;
  for (char c : secret) {
    size_t bytes = bytes_of(c, text.substr(at));
    if (bytes == 0) return 0;
    at += bytes;
  }
  return at;
}

}  // namespace

void Secrets::learn(std::string secret) {
  if (secret.empty() || std::ranges::find(secrets_, secret) != secrets_.end()) return;
  secrets_.push_back(std::move(secret));
  // One secret may be a part of another.
  std::ranges::stable_sort(secrets_, std::greater(), &std::string::size);
}

std::string Secrets::redact(std::string_view text) const {
  std::string redacted;
  while (!text.empty()) {
    size_t bytes = 0;
    for (const auto& secret : secrets_) {
      bytes = match(secret, text);
      if (bytes > 0) break;
    }
    redacted += bytes > 0 ? kMask : text.substr(0, 1);
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return redacted;
}

}  // namespace millrace::source
