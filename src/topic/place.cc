#include "topic/place.h"

#include <fmt/ranges.h>

#include <charconv>
#include <optional>

namespace millrace::topic {
namespace {

// A whole number from 0 on.
std::optional<int64_t> number_of(std::string_view text) {
  int64_t number = -1;
  auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && number >= 0;
  return whole ? std::optional(number) : std::nullopt;
}

std::unexpected<Error> no_place(std::string_view text) {
  return fail(ErrorCode::kCorrupt, "a record's header {} is '{}'", kPlaceHeader, text);
}

}  // namespace

std::string to_text(Place place) {
  return fmt::format("{}/{}", place.offset, place.dead_letter);
}

std::string to_text(std::span<const Offset> before) {
  return fmt::format("{}", fmt::join(before, ","));
}

Result<Place> parse_place(std::string_view text) {
  size_t slash = text.find('/');
  if (slash == text.npos) return no_place(text);
  auto offset = number_of(text.substr(0, slash));
  auto dead_letter = number_of(text.substr(slash + 1));
  if (!offset || !dead_letter) return no_place(text);
  return Place{.offset = Offset(*offset), .dead_letter = *dead_letter};
}

Result<std::vector<Offset>> parse_before(std::string_view text) {
  std::vector<Offset> before;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(',', begin), text.size());
    auto offset = number_of(text.substr(begin, end - begin));
    if (!offset) return no_place(text);
    before.emplace_back(*offset);
    begin = end + 1;
  }
  return before;
}

Result<std::string_view> place_text(const record::RecordView& record) {
  // What has no headers says so in one byte.
  if (record.headers.size() <= 1) return std::string_view();
  for (const auto& header : MR_TRY(record::headers_of(record)))
    if (header.key == kPlaceHeader) return header.value.value_or("");
  return std::string_view();
}

Result<Place> place_of(const record::RecordView& record) {
  auto text = MR_TRY(place_text(record));
  if (text.empty()) return Place{.offset = record.offset};
  return parse_place(text);
}

}  // namespace millrace::topic
