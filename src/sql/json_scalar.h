// JSON scalars as text -> values. Inside sql/, and for infer, which guesses what can be read so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/vector.h"

namespace millrace::sql {

// Whether `token` is a number as RFC 8259 has it ("-0.5e3"; not "+1", "01", "1.", ".5").
bool is_json_number(std::string_view token);
bool is_json_integer(std::string_view token);

// A JSON number times 10^scale, where that is a whole number of 128 bits; so
// ("12.50", 2) gives 1250, ("12.505", 2) nothing.
std::optional<Int128> parse_exact(std::string_view token, int scale);

// A JSON number as the nearest float or double; too small is zero, too large nothing.
template <class T>
std::optional<T> parse_floating(std::string_view token);

// DATE and TIMESTAMP as base/time.h has them, and DuckDB's "infinity" and "-infinity". Years that
// ISO 8601 has no four digits for are written with a sign ("+55840-01-01") and not read.
std::optional<int32_t> parse_json_date(std::string_view text);
std::optional<int64_t> parse_json_timestamp(std::string_view text);
std::string format_json_date(int32_t days);
std::string format_json_timestamp(int64_t micros);

// -12.50 for (-1250, 2).
void append_exact(Int128 unscaled, int scale, std::string& to);

}  // namespace millrace::sql
