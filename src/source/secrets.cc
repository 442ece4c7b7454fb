#include "source/secrets.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstddef>
#include <functional>

namespace millrace::source {

namespace {

constexpr std::string_view kMask = "***";

// What stands in `value` for each "***" of `shown`. Where the pieces between do not tell them
// apart, a secret is taken too long rather than too short.
std::vector<std::string> masked_pieces(std::string_view value, std::string_view shown) {
  std::vector<std::string> pieces;
  auto literal = shown.substr(0, shown.find(kMask));
  while (literal.size() < shown.size() && value.starts_with(literal)) {
    value.remove_prefix(literal.size());
    shown.remove_prefix(literal.size() + kMask.size());
    literal = shown.substr(0, shown.find(kMask));
    bool last = literal.size() == shown.size();
    auto end = last ? value.size() - std::min(literal.size(), value.size()) : value.find(literal);
    if (literal.empty() || end == value.npos) end = value.size();
    if (end > 0) pieces.emplace_back(value.substr(0, end));
    value.remove_prefix(end);
  }
  return pieces;
}

}  // namespace

void Secrets::learn(const spec::Text& text) {
  if (text.value == text.shown) return;
  for (auto& secret : masked_pieces(text.value, text.shown)) {
    char* encoded = curl_easy_escape(nullptr, secret.c_str(), static_cast<int>(secret.size()));
    if (encoded != nullptr && secret != encoded) secrets_.emplace_back(encoded);
    curl_free(encoded);
    secrets_.push_back(std::move(secret));
  }
  // One secret may be a part of another.
  std::ranges::stable_sort(secrets_, std::greater(), &std::string::size);
}

std::string Secrets::redact(std::string_view text) const {
  // Hosts, header values and %2f come back in whatever case.
  auto same_letter = [](char a, char b) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; };
    return lower(a) == lower(b);
  };
  std::string redacted(text);
  for (const auto& secret : secrets_) {
    for (size_t at = 0; at < redacted.size(); at += kMask.size()) {
      auto begin = redacted.begin() + static_cast<std::ptrdiff_t>(at);
      auto found = std::search(begin, redacted.end(), secret.begin(), secret.end(), same_letter);
      if (found == redacted.end()) break;
      at = static_cast<size_t>(found - redacted.begin());
      redacted.replace(at, secret.size(), kMask);
    }
  }
  return redacted;
}

}  // namespace millrace::source
