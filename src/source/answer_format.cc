#include "source/answer_format.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace millrace::source {

namespace {

using spec::Format;

// "Text/CSV; header=present" -> "text/csv".
std::string media_type(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  std::erase_if(type, [](char c) { return c == ' ' || c == '\t'; });
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return type;
}

Format by_type(std::string_view type) {
  constexpr std::array<std::string_view, 6> kLines = {
      "application/x-ndjson", "application/ndjson",    "application/jsonl",
      "application/x-jsonl",  "application/jsonlines", "application/x-jsonlines"};
  if (type == "application/json" || type == "text/json" || type.ends_with("+json"))
    return Format::kJson;
  if (std::ranges::find(kLines, type) != kLines.end()) return Format::kJsonLines;
  if (type == "text/csv" || type == "application/csv") return Format::kCsv;
  return Format::kByType;
}

bool is_markup(std::string_view type, char first) {
  return first == '<' || type == "text/html" || type.ends_with("/xml") || type.ends_with("+xml");
}

}  // namespace

Result<Format> format_of(Format wanted, std::string_view content_type, std::string_view body) {
  auto type = media_type(content_type);
  auto begin = body.find_first_not_of(" \t\r\n");
  char first = begin == body.npos ? '\0' : body[begin];
  auto format = wanted != Format::kByType ? wanted : by_type(type);
  bool may_be_json = first == '{' || first == '[' || first == '\0' || first == '\xef';
  // The first name of a CSV response may be "<TICKER>".
  bool is_other = first == '<' && format != Format::kCsv;
  if (is_other || (format == Format::kByType && is_markup(type, first)))
    return fail(
        ErrorCode::kInvalid,
        "the response is {}, not JSON, JSON lines or CSV; check the source's url; it begins "
        "{}",
        type.empty() ? "HTML or XML" : excerpt(type, 60), excerpt(body, 120));
  if (format != Format::kByType) return format;
  if (may_be_json) return Format::kJson;
  return fail(ErrorCode::kInvalid,
              "the response says it is {}; where it is JSON, JSON lines or CSV, say so with the "
              "source's 'format'; it begins {}",
              type.empty() ? "nothing in particular" : excerpt(type, 60), excerpt(body, 120));
}

}  // namespace millrace::source
