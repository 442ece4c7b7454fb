#include "source/cursor.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "source/json.h"

namespace millrace::source {

namespace {

constexpr std::pair<const char*, int64_t Cursor::*> kFields[] = {
    {"sequence", &Cursor::sequence}, {"page", &Cursor::page},
    {"items", &Cursor::items},       {"records", &Cursor::records},
    {"filtered", &Cursor::filtered}, {"dead_letters", &Cursor::dead_letters}};

}  // namespace

std::string to_json(const Cursor& cursor, std::string_view source) {
  std::string json = R"({"source":)";
  append_json_string(json, source);
  for (auto [name, member] : kFields) {
    fmt::format_to(std::back_inserter(json), R"(,"{}":{})", name, cursor.*member);
  }
  json += '}';
  return json;
}

Result<Cursor> parse_cursor(std::string_view text) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return fail(ErrorCode::kCorrupt, "the source's cursor is not a JSON object: '{}'",
                excerpt(text));
  }
  Cursor cursor;
  for (auto [name, member] : kFields) {
    auto field = json.find(name);
    if (field == json.end()) continue;
    // Numbers from 0 to 2^64-1 are unsigned to the parser, negative ones and fractions are not.
    if (!field->is_number_unsigned() || field->get<uint64_t>() > uint64_t{INT64_MAX}) {
      return fail(ErrorCode::kCorrupt, "'{}' of the source's cursor is not a count: '{}'", name,
                  excerpt(text));
    }
    cursor.*member = field->get<int64_t>();
  }
  return cursor;
}

}  // namespace millrace::source
