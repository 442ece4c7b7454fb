#include "source/cursor.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "source/json.h"

namespace millrace::source {

namespace {

constexpr std::pair<const char*, int64_t Cursor::*> kFields[] = {
    {"sequence", &Cursor::sequence},
    {"page", &Cursor::page},
    {"offset", &Cursor::offset},
    {"items", &Cursor::items},
    {"records", &Cursor::records},
    {"filtered", &Cursor::filtered},
    {"dead_letters", &Cursor::dead_letters},
    {"redriven", &Cursor::redriven}};

constexpr std::pair<const char*, std::string Cursor::*> kTexts[] = {
    {"next", &Cursor::next},
    {"since", &Cursor::since},
    {"largest", &Cursor::largest},
    {"etag", &Cursor::etag},
    {"last_modified", &Cursor::last_modified},
    {"asked", &Cursor::asked}};
constexpr const char* kSeen = "seen";

// The text of a field, "" where there is none.
Result<std::string> text_field(const nlohmann::json& json, const char* name) {
  auto field = json.find(name);
  if (field == json.end()) return "";
  if (!field->is_string())
    return fail(ErrorCode::kCorrupt, "'{}' of the source's cursor is not a text: '{}'", name,
                excerpt(json.dump()));
  return field->get<std::string>();
}

}  // namespace

std::string to_json(const Cursor& cursor, std::string_view source) {
  std::string json = R"({"source":)";
  append_json_string(json, source);
  for (auto [name, member] : kFields) {
    fmt::format_to(std::back_inserter(json), R"(,"{}":{})", name, cursor.*member);
  }
  auto append_text = [&](const char* name, std::string_view text) {
    if (text.empty()) return;
    fmt::format_to(std::back_inserter(json), R"(,"{}":)", name);
    append_json_string(json, text);
  };
  for (auto [name, member] : kTexts) append_text(name, cursor.*member);
  append_text(kSeen, cursor.seen.to_text());
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
  for (auto [name, member] : kTexts) cursor.*member = MR_TRY(text_field(json, name));
  auto seen = SeenItems::from_text(MR_TRY(text_field(json, kSeen)));
  if (!seen) return fail(ErrorCode::kCorrupt, "'{}' of the source's cursor cannot be read", kSeen);
  cursor.seen = *std::move(seen);
  return cursor;
}

}  // namespace millrace::source
