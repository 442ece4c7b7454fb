#include "door/http/call.h"

#include <charconv>
#include <limits>

#include "base/text.h"
#include "base/time.h"

namespace millrace::http {
namespace {

std::optional<int64_t> parse_number(std::string_view text) {
  int64_t number = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::string_view> Call::text(std::string_view name) const {
  std::optional<std::string_view> text;
  for (const auto& [given, value] : target_.parameters)
    if (given == name) text = value;
  return text;
}

Result<std::optional<int64_t>> Call::number(std::string_view name, int64_t least,
                                            int64_t most) const {
  auto given = text(name);
  if (!given) return std::nullopt;
  auto number = parse_number(*given);
  if (!number || *number < least || *number > most) {
    auto range = most == std::numeric_limits<int64_t>::max()
                     ? fmt::format("{} or more", least)
                     : fmt::format("from {} to {}", least, most);
    return fail(ErrorCode::kInvalid, "{}={}: give a whole number, {}", name, excerpt(*given),
                range);
  }
  return number;
}

Result<std::optional<int64_t>> Call::time_ms(std::string_view name) const {
  auto given = text(name);
  if (!given) return std::nullopt;
  if (auto number = parse_number(*given)) return number;
  auto micros = parse_timestamp(*given);
  if (!micros) {
    return fail(ErrorCode::kInvalid,
                "{}={}: give a time like 2026-11-21T05:07:09Z, or milliseconds since 1970", name,
                excerpt(*given));
  }
  return *micros / 1'000;
}

Result<std::optional<std::vector<int64_t>>> Call::numbers(std::string_view name) const {
  auto given = text(name);
  if (!given) return std::nullopt;
  std::vector<int64_t> numbers;
  for (auto left = *given;;) {
    auto comma = left.find(',');
    auto number = parse_number(left.substr(0, comma));
    if (!number || *number < 0) {
      return fail(ErrorCode::kInvalid, "{}={}: give whole numbers with commas between them", name,
                  excerpt(*given));
    }
    numbers.push_back(*number);
    if (comma == left.npos) break;
    left.remove_prefix(comma + 1);
  }
  return numbers;
}

}  // namespace millrace::http
