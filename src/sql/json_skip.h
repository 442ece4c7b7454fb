// Past JSON values that nobody reads, with a look at whether they are JSON: simdjson passes over
// them without one ("[1}", "tru" and "\q" would do). Inside sql/ only.
#pragma once

#include <simdjson.h>

#include <string_view>

namespace millrace::sql {

using JsonTokens = simdjson::SIMDJSON_BUILTIN_IMPLEMENTATION::ondemand::json_iterator;

// The tokens that a value shares with its document.
class OpenedValue : public simdjson::ondemand::value {
 public:
  explicit OpenedValue(const simdjson::ondemand::value& opened)
      : simdjson::ondemand::value(opened) {}
  JsonTokens& tokens() { return iter.json_iter(); }
};

// For skip_value(): anything but a string, leaving the tokens' depth to it.
const char* skip_nested(JsonTokens& tokens, size_t depth);

// Walks past a value inside `depth` arrays and objects; what is wrong in it, or nullptr. Escapes
// in its strings are not looked at: escapes_are_valid() does that once for a whole record.
inline const char* skip_value(const simdjson::ondemand::value& value, size_t depth) {
  JsonTokens& tokens = OpenedValue(value).tokens();
  auto outside = tokens.depth() - 1;
  if (*tokens.peek() == '"') [[likely]]
    tokens.return_current_and_advance();
  else if (const char* problem = skip_nested(tokens, depth))
    return problem;
  tokens.ascend_to(outside);
  return nullptr;
}

// Whether every backslash in a JSON text begins an escape of RFC 8259, surrogates in pairs.
bool escapes_are_valid(std::string_view json);

}  // namespace millrace::sql
