#include "sql/json_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include <utility>

#include <fmt/format.h>
#include "base/time.h"

namespace millrace::sql {
namespace {

constexpr Unsigned128 kSignBit = Unsigned128{1} << 127;

// value * 10 + digit, unless that passes 2^127.
bool append_digit(Unsigned128& value, unsigned digit) {
  if (value > (kSignBit - digit) / 10) return false;
  value = value * 10 + digit;
  return true;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

size_t digits_at(std::string_view text, size_t from) {
  size_t at = from;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at - from;
}

// Length of the integer part at the front ("-120" of "-120.5"), 0 if there is none.
size_t integer_part(std::string_view token) {
  size_t sign = !token.empty() && token[0] == '-' ? 1 : 0;
  size_t digits = digits_at(token, sign);
  if (digits == 0 || (digits > 1 && token[sign] == '0')) return 0;
  return sign + digits;
}

// Whether a JSON number that is not zero lies between -1 and 1.
bool is_below_one(std::string_view token) {
  size_t mark = std::min(token.find_first_of("eE"), token.size());
  std::string_view mantissa = token.substr(0, mark);
  if (mantissa.starts_with('-')) mantissa.remove_prefix(1);
  size_t point = std::min(mantissa.find('.'), mantissa.size());
  auto before_point =
      static_cast<int64_t>(point) - static_cast<int64_t>(mantissa.find_first_of("123456789"));
  std::string_view exponent = token.substr(std::min(mark + 1, token.size()));
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  int32_t written = 0;
  auto parsed = std::from_chars(exponent.data(), exponent.data() + exponent.size(), written);
  if (parsed.ec == std::errc::result_out_of_range) return exponent.starts_with('-');
  return before_point + written <= 0;
}

// DuckDB keeps infinity as the greatest number, and -infinity as its opposite.
template <class T>
std::optional<T> parse_infinity(std::string_view text) {
  if (text == "infinity") return std::numeric_limits<T>::max();
  if (text == "-infinity") return -std::numeric_limits<T>::max();
  return std::nullopt;
}

template <class T>
const char* infinity_text(T value) {
  if (value == std::numeric_limits<T>::max()) return "infinity";
  return value == -std::numeric_limits<T>::max() ? "-infinity" : nullptr;
}

constexpr int64_t kMicrosOfDay = 86'400'000'000;
constexpr int32_t kDaysOf400Years = 146'097;
constexpr int32_t kFirstDay = -719'162;  // 0001-01-01
constexpr int32_t kLastDay = 2'932'896;  // 9999-12-31

// The date in the years 0001 to 0400 that has the same month, day and weekday, and how many times
// 400 years it is away.
std::pair<int32_t, int64_t> folded(int64_t days) {
  int64_t since = days - kFirstDay;
  int64_t eras = since / kDaysOf400Years - (since % kDaysOf400Years < 0 ? 1 : 0);
  return {static_cast<int32_t>(days - eras * kDaysOf400Years), eras};
}

// The text of a folded date, or of a timestamp on it, with its own year.
std::string with_year(std::string_view folded_text, int64_t eras) {
  int64_t year = 0;
  std::from_chars(folded_text.data(), folded_text.data() + 4, year);
  return fmt::format("{:+05}{}", year + eras * 400, folded_text.substr(4));
}

}  // namespace

bool is_json_integer(std::string_view token) {
  size_t length = integer_part(token);
  return length > 0 && length == token.size();
}

bool is_json_number(std::string_view token) {
  size_t at = integer_part(token);
  if (at == 0) return false;
  if (at < token.size() && token[at] == '.') {
    size_t digits = digits_at(token, at + 1);
    if (digits == 0) return false;
    at += 1 + digits;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    size_t digits = digits_at(token, at);
    if (digits == 0) return false;
    at += digits;
  }
  return at == token.size();
}

std::optional<Int128> parse_exact(std::string_view token, int scale) {
  if (!is_json_number(token)) return std::nullopt;
  bool negative = token[0] == '-';
  if (negative) token.remove_prefix(1);
  int exponent = scale;
  if (size_t mark = token.find_first_of("eE"); mark != std::string_view::npos) {
    auto text = token.substr(mark + 1);
    if (text[0] == '+') text.remove_prefix(1);
    int written = 0;
    auto parsed = std::from_chars(text.data(), text.data() + text.size(), written);
    if (parsed.ec != std::errc{} || std::abs(written) > 1'000) return std::nullopt;
    exponent += written;
    token = token.substr(0, mark);
  }
  Unsigned128 value = 0;
  bool after_point = false;
  bool full = false;
  for (char c : token) {
    if (c == '.') {
      after_point = true;
    } else if (full || !append_digit(value, static_cast<unsigned>(c - '0'))) {
      // A longer number still fits where only zeros follow the point.
      if (c != '0' || !after_point) return std::nullopt;
      full = true;
    } else if (after_point) {
      --exponent;
    }
  }
  for (; exponent < 0 && value != 0; ++exponent) {
    if (value % 10 != 0) return std::nullopt;
    value /= 10;
  }
  for (; exponent > 0 && value != 0; --exponent)
    if (!append_digit(value, 0)) return std::nullopt;
  if (value == kSignBit && !negative) return std::nullopt;
  return static_cast<Int128>(negative ? -value : value);
}

template <class T>
std::optional<T> parse_floating(std::string_view token) {
  if (!is_json_number(token)) return std::nullopt;
  T number = 0;
  auto parsed = std::from_chars(token.data(), token.data() + token.size(), number);
  if (parsed.ec == std::errc{}) return number;
  if (is_below_one(token)) return token.starts_with('-') ? -T{0} : T{0};
  return std::nullopt;
}
template std::optional<float> parse_floating(std::string_view token);
template std::optional<double> parse_floating(std::string_view token);

std::optional<int32_t> parse_json_date(std::string_view text) {
  auto days = parse_date(text);
  return days ? days : parse_infinity<int32_t>(text);
}

std::optional<int64_t> parse_json_timestamp(std::string_view text) {
  auto micros = parse_timestamp(text);
  return micros ? micros : parse_infinity<int64_t>(text);
}

std::string format_json_date(int32_t days) {
  if (const char* text = infinity_text(days)) return text;
  if (days >= kFirstDay && days <= kLastDay) return format_date(days);
  auto [near, eras] = folded(days);
  return with_year(format_date(near), eras);
}

std::string format_json_timestamp(int64_t micros) {
  if (const char* text = infinity_text(micros)) return text;
  int64_t days = micros / kMicrosOfDay - (micros % kMicrosOfDay < 0 ? 1 : 0);
  if (days >= kFirstDay && days <= kLastDay) return format_timestamp(micros);
  auto [near, eras] = folded(days);
  return with_year(format_timestamp(near * kMicrosOfDay + (micros - days * kMicrosOfDay)), eras);
}

void append_exact(Int128 unscaled, int scale, std::string& to) {
  bool negative = unscaled < 0;
  auto magnitude = static_cast<Unsigned128>(unscaled);
  if (negative) magnitude = -magnitude;
  char digits[48];
  size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + static_cast<int>(magnitude % 10));
    magnitude /= 10;
  } while (magnitude != 0);
  while (count <= static_cast<size_t>(scale)) digits[count++] = '0';
  if (negative) to += '-';
  while (count > 0) {
    if (count == static_cast<size_t>(scale)) to += '.';
    to += digits[--count];
  }
}

}  // namespace millrace::sql
