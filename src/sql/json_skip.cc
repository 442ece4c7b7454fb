#include "sql/json_skip.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/limits.h"
#include "sql/json_scalar.h"
#include "sql/json_text.h"

namespace millrace::sql {
namespace {

using Tokens = JsonTokens;

static_assert(limits::kJsonDepthMax == 64, "kTooDeep says so, and Containers has so many bits");
constexpr const char* kTooDeep = "more than 64 levels of arrays and objects";
constexpr const char* kNoValue = "something stands where a value should";
constexpr const char* kNoKey = "something stands where a key should";
constexpr const char* kNoComma = "something stands where a comma or a closing bracket should";
constexpr const char* kUnclosed = "an array or object is not closed";

// The arrays and objects that are open inside the skipped value, innermost in the lowest bit.
class Containers {
 public:
  void open(bool is_object) {
    bits_ = bits_ << 1 | (is_object ? 1U : 0U);
    ++count_;
  }
  void close() {
    bits_ >>= 1;
    --count_;
  }
  bool in_object() const { return (bits_ & 1) != 0; }
  size_t count() const { return count_; }

 private:
  uint64_t bits_ = 0;
  size_t count_ = 0;
};

char next(Tokens& tokens) {
  return static_cast<char>(*tokens.return_current_and_advance());
}

bool is_scalar(const uint8_t* from, const uint8_t* to) {
  const char* text = reinterpret_cast<const char*>(from);
  std::string_view token = trimmed({text, static_cast<size_t>(to - from)});
  return is_json_number(token) || token == "true" || token == "false" || token == "null";
}

// A key and its colon; they are passed.
bool skip_key(Tokens& tokens) {
  return next(tokens) == '"' && next(tokens) == ':';
}

// The number in an escape such as \u00e9 at the front of a text; -1 if there is none.
int utf16_unit(std::string_view text) {
  auto digits = text.substr(std::min<size_t>(2, text.size()), 4);
  auto is_hex = [](unsigned char c) { return std::isxdigit(c) != 0; };
  if (!text.starts_with("\\u") || digits.size() < 4 || !std::ranges::all_of(digits, is_hex))
    return -1;
  int unit = 0;
  std::from_chars(digits.data(), digits.data() + 4, unit, 16);
  return unit;
}

// Past what follows a value, up to the next value or the end of the outermost one. The document's
// last token closes something, so no other one can lead past it.
const char* skip_closing(Tokens& tokens, Containers& open) {
  while (open.count() > 0) {
    char token = next(tokens);
    if (token == ',') return !open.in_object() || skip_key(tokens) ? nullptr : kNoKey;
    if (token != (open.in_object() ? '}' : ']')) return kNoComma;
    if (tokens.at_end()) return kUnclosed;
    open.close();
  }
  return nullptr;
}

}  // namespace

const char* skip_nested(Tokens& tokens, size_t depth) {
  Containers open;
  do {
    const uint8_t* token = tokens.return_current_and_advance();
    if (*token == '{' || *token == '[') {
      bool is_object = *token == '{';
      if (depth + open.count() == limits::kJsonDepthMax) return kTooDeep;
      open.open(is_object);
      if (*tokens.peek() != (is_object ? '}' : ']')) {
        if (is_object && !skip_key(tokens)) return kNoKey;
        continue;
      }
    } else if (*token != '"' && !is_scalar(token, tokens.peek())) {
      return kNoValue;
    }
    if (const char* problem = skip_closing(tokens, open)) return problem;
  } while (open.count() > 0);
  return nullptr;
}

bool escapes_are_valid(std::string_view json) {
  for (size_t at = json.find('\\'); at != std::string_view::npos; at = json.find('\\', at)) {
    auto escape = json.substr(at, 12);
    if (escape.size() < 2) return false;
    at += 2;
    if (std::string_view("\"\\/bfnrt").find(escape[1]) != std::string_view::npos) continue;
    int unit = utf16_unit(escape);
    if (unit < 0 || (unit & 0xfc00) == 0xdc00) return false;
    at += 4;
    if ((unit & 0xfc00) != 0xd800) continue;
    if ((utf16_unit(escape.substr(6)) & 0xfc00) != 0xdc00) return false;
    at += 6;
  }
  return true;
}

}  // namespace millrace::sql
