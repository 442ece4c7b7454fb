// Calendar time as text (ISO 8601, proleptic Gregorian, UTC) and as numbers: days and
// microseconds since 1970-01-01. Years 0001 to 9999. Durations as people write them: 250ms, 10s.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

// "2026-11-21" -> days since 1970-01-01.
std::optional<int32_t> parse_date(std::string_view text);
// "05:07:09[.123456]" -> microseconds since midnight. More than six decimals are refused.
std::optional<int64_t> parse_time_of_day(std::string_view text);
// RFC 3339 and its common looser forms: "T" or a space between date and time, seconds and
// fraction optional, offset "Z", "+02:00", "+0200" or none (UTC); a date alone is midnight.
// -> microseconds since 1970-01-01T00:00:00Z. More than six decimals are refused, as they
// would be lost.
std::optional<int64_t> parse_timestamp(std::string_view text);

std::string format_date(int32_t days);
// "05:07:09", with ".123" or ".123456" where there are such digits.
std::string format_time_of_day(int64_t micros);
// "2026-11-21T05:07:09Z", with ".123" or ".123456" before the Z where there are such digits.
std::string format_timestamp(int64_t micros);

// "250ms", "10s", "5m", "2h", "7d": a whole number, at most 1,000,000, and a unit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// The shortest of the above forms that says the same ("90s", not "90000ms").
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace millrace
