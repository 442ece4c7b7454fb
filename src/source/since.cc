#include "source/since.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/time.h"

namespace millrace::source {

namespace {

constexpr int64_t kMillion = 1'000'000;
constexpr int64_t kMicrosPerDay = int64_t{86'400} * kMillion;
constexpr size_t kNumberDigitsMax = 30;  // so that millionths of it fit into 128 bits
// A number from here on is taken for milliseconds since 1970 where a time is wanted (March 1973);
// below, for seconds (until the year 5138).
constexpr int64_t kFirstMilliseconds = 100'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<Int128> parse_millionths(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Int128 value = 0;
  size_t digits = 0;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), ++digits)
    if (digits < kNumberDigitsMax) value = value * 10 + (text[0] - '0');
  if (digits == 0 || digits > kNumberDigitsMax) return std::nullopt;
  size_t decimals = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1))
      if (decimals < 6) {
        value = value * 10 + (text[0] - '0');
        ++decimals;
      }
  }
  if (!text.empty()) return std::nullopt;
  for (; decimals < 6; ++decimals) value *= 10;
  return negative ? -value : value;
}

// Down to a whole multiple, for negative values too.
Int128 floored(Int128 value, int64_t unit) {
  Int128 rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

// "1700000000.5" of 1700000000500000.
std::string number_text(Int128 millionths) {
  bool negative = millionths < 0;
  auto magnitude = static_cast<sql::Unsigned128>(negative ? -millionths : millionths);
  auto text = fmt::format("{}{}", negative ? "-" : "", magnitude / kMillion);
  if (magnitude % kMillion == 0) return text;
  text += fmt::format(".{:06}", static_cast<uint64_t>(magnitude % kMillion));
  return text.substr(0, text.find_last_not_of('0') + 1);
}

// "…:09.123456789Z" -> "…:09.123456Z".
std::string with_six_decimals(std::string_view text) {
  auto point = text.find('.');
  if (point == text.npos) return std::string(text);
  size_t end = point + 1;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end - point - 1 <= 6) return std::string(text);
  return fmt::format("{}{}", text.substr(0, point + 7), text.substr(end));
}

}  // namespace

std::optional<SinceValue> parse_since_value(std::string_view text) {
  if (auto number = parse_millionths(text)) return SinceValue{*number, true};
  if (auto micros = parse_timestamp(with_six_decimals(text))) return SinceValue{*micros, false};
  return std::nullopt;
}

SinceWindow since_window(const spec::SinceSpec& since, std::string_view largest) {
  using enum spec::SinceFormat;
  auto value = parse_since_value(largest);
  MR_CHECK(value);
  if (since.format == kAsIs && since.overlap.count() == 0)
    return {std::string(largest), value->position};

  // From here on a number is a time: `unit` of its positions make a microsecond.
  bool is_ms = value->is_number && value->position >= Int128{kFirstMilliseconds} * kMillion;
  int64_t unit = is_ms ? 1'000 : 1;
  Int128 micros = floored(value->position, unit) / unit - Int128{since.overlap.count()} * 1'000;
  auto from = [&](Int128 start, std::string text) {
    return SinceWindow{std::move(text), start * unit};
  };
  switch (since.format) {
    case kAsIs:
      if (value->is_number) return from(micros, number_text(micros * unit));
      return from(micros, format_timestamp(static_cast<int64_t>(micros)));
    case kTimestamp:
      return from(micros, format_timestamp(static_cast<int64_t>(micros)));
    case kDate: {
      Int128 start = floored(micros, kMicrosPerDay);
      return from(start, format_date(static_cast<int32_t>(start / kMicrosPerDay)));
    }
    case kUnix: {
      Int128 start = floored(micros, kMillion);
      return from(start, number_text(start));
    }
    case kUnixMs: {
      Int128 start = floored(micros, 1'000);
      return from(start, number_text(start * 1'000));
    }
  }
  return from(micros, std::string(largest));
}

}  // namespace millrace::source
