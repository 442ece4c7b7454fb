#include "source/link_header.h"

#include <algorithm>

namespace millrace::source {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Cuts off the text up to a separator that stands in no quotes, and the separator.
std::string_view take_until(std::string_view& text, std::string_view separators) {
  bool quoted = false;
  size_t end = 0;
  for (; end < text.size(); ++end) {
    if (quoted && text[end] == '\\') {
      ++end;
    } else if (text[end] == '"') {
      quoted = !quoted;
    } else if (!quoted && separators.contains(text[end])) {
      break;
    }
  }
  end = std::min(end, text.size());
  auto piece = text.substr(0, end);
  text.remove_prefix(end);
  return piece;
}

// Whether `rel="prev next"` names the relation type.
bool is_next(std::string_view parameter) {
  auto equals = parameter.find('=');
  if (equals == parameter.npos || !same_word(trimmed(parameter.substr(0, equals)), "rel"))
    return false;
  auto value = trimmed(parameter.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  while (!value.empty()) {
    auto word = value.substr(0, value.find(' '));
    if (same_word(word, "next")) return true;
    value.remove_prefix(std::min(word.size() + 1, value.size()));
  }
  return false;
}

std::string_view next_of(std::string_view links) {
  while (true) {
    auto begin = links.find('<');
    if (begin == links.npos) return "";
    auto end = links.find('>', begin);
    if (end == links.npos) return "";
    auto target = trimmed(links.substr(begin + 1, end - begin - 1));
    links.remove_prefix(end + 1);
    bool found = false;
    // The parameters, each after a ';', up to the ',' before the next link.
    for (take_until(links, ";,"); links.starts_with(';');) {
      links.remove_prefix(1);
      found |= is_next(take_until(links, ";,"));
    }
    if (found) return target;
  }
}

}  // namespace

std::string_view next_link(std::span<const std::string> values) {
  for (const auto& links : values)
    if (auto target = next_of(links); !target.empty()) return target;
  return "";
}

}  // namespace millrace::source
