#include "schema/json_pointer.h"

#include <charconv>

namespace millrace::schema {
namespace {

std::string decode_percent(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string decode_token(std::string_view token) {
  std::string name;
  for (size_t i = 0; i < token.size(); ++i) {
    bool escape = token[i] == '~' && i + 1 < token.size();
    if (escape && token[i + 1] == '1')
      name += '/', ++i;
    else if (escape && token[i + 1] == '0')
      name += '~', ++i;
    else
      name += token[i];
  }
  return name;
}

const nlohmann::ordered_json* child(const nlohmann::ordered_json& node, const std::string& name) {
  if (node.is_object()) {
    auto found = node.find(name);
    return found == node.end() ? nullptr : &*found;
  }
  size_t index = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  bool whole = error == std::errc() && end == name.data() + name.size();
  return node.is_array() && whole && index < node.size() ? &node[index] : nullptr;
}

}  // namespace

std::string pointer_token(std::string_view name) {
  std::string token;
  for (char c : name) {
    if (c == '~')
      token += "~0";
    else if (c == '/')
      token += "~1";
    else
      token += c;
  }
  return token;
}

const nlohmann::ordered_json* find_pointer(const nlohmann::ordered_json& document,
                                           std::string_view pointer) {
  std::string decoded = decode_percent(pointer);
  std::string_view rest = decoded;
  const auto* node = &document;
  while (node != nullptr && !rest.empty()) {
    if (rest.front() != '/') return nullptr;
    rest.remove_prefix(1);
    auto token = rest.substr(0, rest.find('/'));
    rest.remove_prefix(token.size());
    node = child(*node, decode_token(token));
  }
  return node;
}

}  // namespace millrace::schema
