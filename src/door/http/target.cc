#include "door/http/target.h"

#include <cctype>
#include <charconv>

#include "base/text.h"

namespace millrace::http {
namespace {

Result<std::string> percent_decode(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes += text[i];
      continue;
    }
    unsigned char byte = 0;
    auto digits = text.substr(i + 1, 2);
    auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (code != std::errc() || digits.size() != 2 || end != digits.data() + 2) {
      return fail(ErrorCode::kInvalid, "'{}' in the URL is not a percent-encoded byte: write %25",
                  excerpt(text.substr(i, 3)));
    }
    bytes += static_cast<char>(byte);
    i += 2;
  }
  return bytes;
}

// In a query, '+' is a space: forms and people write it so.
Result<std::string> decode_parameter(std::string_view text) {
  std::string spaced(text);
  for (auto& c : spaced)
    if (c == '+') c = ' ';
  return percent_decode(spaced);
}

// Cuts `text` at the first `separator`; returns what stood before it.
std::string_view take_until(std::string_view& text, char separator) {
  auto at = text.find(separator);
  auto taken = text.substr(0, at);
  text = at == text.npos ? std::string_view() : text.substr(at + 1);
  return taken;
}

}  // namespace

Result<Target> Target::parse(std::string_view text) {
  Target target;
  auto path = take_until(text, '?');
  auto query = take_until(text, '#');
  if (!path.starts_with('/')) {
    return fail(ErrorCode::kInvalid, "the path '{}' does not begin with '/'", excerpt(path));
  }
  path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  while (!path.empty()) target.path.push_back(MR_TRY(percent_decode(take_until(path, '/'))));
  while (!query.empty()) {
    auto value = take_until(query, '&');
    auto name = take_until(value, '=');
    if (name.empty()) continue;
    target.parameters.emplace_back(MR_TRY(decode_parameter(name)), MR_TRY(decode_parameter(value)));
  }
  return target;
}

std::string percent_encode(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || std::string_view("-._~").contains(c))) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", byte);
    }
  }
  return text;
}

TargetBuilder& TargetBuilder::piece(std::string_view piece) {
  text_ += '/';
  text_ += percent_encode(piece);
  return *this;
}

TargetBuilder& TargetBuilder::parameter(std::string_view name, std::string_view value) {
  text_ += has_parameters_ ? '&' : '?';
  has_parameters_ = true;
  text_ += percent_encode(name);
  text_ += '=';
  text_ += percent_encode(value);
  return *this;
}

}  // namespace millrace::http
