#include "base/time.h"

#include <fmt/format.h>

namespace millrace {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

// Reads `count` digits at the front of `text` and removes them; -1 if there are not so many.
int take_digits(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<int32_t> take_date(std::string_view& text) {
  int year = take_digits(text, 4);
  if (year < 1 || !take_char(text, '-')) return std::nullopt;
  int month = take_digits(text, 2);
  if (month < 0 || !take_char(text, '-')) return std::nullopt;
  int day = take_digits(text, 2);
  if (day < 0) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(year),
                                   std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return static_cast<int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::optional<int64_t> take_time_of_day(std::string_view& text) {
  int hour = take_digits(text, 2);
  if (hour < 0 || hour > 23 || !take_char(text, ':')) return std::nullopt;
  int minute = take_digits(text, 2);
  if (minute < 0 || minute > 59) return std::nullopt;
  int64_t micros = (hour * 60 + minute) * 60 * kMicrosPerSecond;
  if (!take_char(text, ':')) return micros;
  int second = take_digits(text, 2);
  if (second < 0 || second > 59) return std::nullopt;
  micros += second * kMicrosPerSecond;
  if (!take_char(text, '.')) return micros;
  size_t decimals = 0;
  for (int64_t unit = kMicrosPerSecond / 10; unit > 0; unit /= 10) {
    int digit = take_digits(text, 1);
    if (digit < 0) break;
    micros += digit * unit;
    ++decimals;
  }
  if (decimals == 0) return std::nullopt;
  if (!text.empty() && text.front() >= '0' && text.front() <= '9') return std::nullopt;
  return micros;
}

// "Z", "+02:00", "-0330" or nothing -> microseconds east of UTC.
std::optional<int64_t> take_utc_offset(std::string_view& text) {
  if (text.empty() || take_char(text, 'Z') || take_char(text, 'z')) return 0;
  int64_t sign = 0;
  if (take_char(text, '+'))
    sign = 1;
  else if (take_char(text, '-'))
    sign = -1;
  else
    return std::nullopt;
  int hours = take_digits(text, 2);
  if (hours < 0 || hours > 23) return std::nullopt;
  take_char(text, ':');
  int minutes = take_digits(text, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return sign * (hours * 60 + minutes) * 60 * kMicrosPerSecond;
}

}  // namespace

std::optional<int32_t> parse_date(std::string_view text) {
  auto days = take_date(text);
  if (!text.empty()) return std::nullopt;
  return days;
}

std::optional<int64_t> parse_time_of_day(std::string_view text) {
  auto micros = take_time_of_day(text);
  if (!text.empty()) return std::nullopt;
  return micros;
}

std::optional<int64_t> parse_timestamp(std::string_view text) {
  auto days = take_date(text);
  if (!days) return std::nullopt;
  int64_t micros = *days * kMicrosPerDay;
  if (text.empty()) return micros;
  if (!take_char(text, 'T') && !take_char(text, 't') && !take_char(text, ' ')) return std::nullopt;
  auto time = take_time_of_day(text);
  if (!time) return std::nullopt;
  auto offset = take_utc_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return micros + *time - *offset;
}

std::string format_date(int32_t days) {
  std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string format_time_of_day(int64_t micros) {
  int64_t seconds = micros / kMicrosPerSecond;
  int64_t fraction = micros % kMicrosPerSecond;
  std::string text =
      fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (fraction == 0) return text;
  return text + (fraction % 1000 == 0 ? fmt::format(".{:03}", fraction / 1000)
                                      : fmt::format(".{:06}", fraction));
}

std::string format_timestamp(int64_t micros) {
  int64_t time = ((micros % kMicrosPerDay) + kMicrosPerDay) % kMicrosPerDay;
  auto days = static_cast<int32_t>((micros - time) / kMicrosPerDay);
  return fmt::format("{}T{}Z", format_date(days), format_time_of_day(time));
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  int64_t number = 0;
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    number = number * 10 + (text[digits] - '0');
    if (number > 1'000'000) return std::nullopt;
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  std::string_view unit = text.substr(digits);
  if (unit == "ms") return std::chrono::milliseconds(number);
  if (unit == "s") return std::chrono::seconds(number);
  if (unit == "m") return std::chrono::minutes(number);
  if (unit == "h") return std::chrono::hours(number);
  if (unit == "d") return std::chrono::hours(24 * number);
  return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds duration) {
  int64_t ms = duration.count();
  if (ms == 0) return "0s";
  if (ms % 86'400'000 == 0) return fmt::format("{}d", ms / 86'400'000);
  if (ms % 3'600'000 == 0) return fmt::format("{}h", ms / 3'600'000);
  if (ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
  if (ms % 1'000 == 0) return fmt::format("{}s", ms / 1'000);
  return fmt::format("{}ms", ms);
}

}  // namespace millrace
