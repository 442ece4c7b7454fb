#include "source/secrets.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>

namespace millrace::source {
namespace {

constexpr std::string_view kMask = "***";
constexpr std::string_view kCut = "…";  // where excerpt() leaves out the rest

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
  if (text.empty()) return 0;
  bool same = lower(text[0]) == lower(c) || (c == ' ' && text[0] == '+');
  // What excerpt() makes of control characters.
  bool blank = text[0] == ' ' && static_cast<unsigned char>(c) < 0x20;
  return same || blank ? 1 : 0;
}

// How many bytes are before the cut at the front of `text`, or within an encoded character of it;
// nullopt where there is none.
std::optional<size_t> bytes_before_cut(std::string_view text) {
  size_t begun = 0;
  if (text.starts_with('\\')) begun = 1;
  if (text.starts_with('%')) begun = text.size() > 1 && hex_value(text[1]) >= 0 ? 2 : 1;
  return text.substr(begun).starts_with(kCut) ? std::optional(begun) : std::nullopt;
}

// How many bytes at the front of `text` are the secret, as it is or encoded, or its beginning and
// then a cut; 0: it is not there.
size_t match(std::string_view secret, std::string_view text) {
  if (text.size() >= secret.size() &&
      std::ranges::equal(secret, text.substr(0, secret.size()), {}, lower, lower)) {
    return secret.size();
  }
  size_t at = 0;
  for (char c : secret) {
    auto rest = text.substr(at);
    size_t bytes = bytes_of(c, rest);
    if (bytes == 0) {
      auto begun = bytes_before_cut(rest);
      return at > 0 && begun ? at + *begun : 0;
    }
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
