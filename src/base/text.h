// Small things done to text for people.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

// The candidate nearest to `word` by edit distance, or "" when none is near enough to be what was
// meant (a third of the word's length, at least 1).
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// 1234567 -> "1,234,567".
std::string with_thousands(int64_t number);

// 1536 -> "1.5 KiB".
std::string format_bytes(uint64_t bytes);

// "512B", "64KiB", "256MiB", "2GB": a whole number, at most 1,000,000,000, and a unit, of 1024 with
// an 'i', of 1000 without, up to T.
std::optional<int64_t> parse_size(std::string_view text);
// The shortest of the forms with an 'i' that says the same: "256MiB".
std::string format_size(int64_t bytes);

// At most `limit` bytes of a text for an error message: cut at a UTF-8 boundary, "…" at the cut,
// control characters replaced by spaces.
std::string excerpt(std::string_view text, size_t limit = 200);

// True if every byte sequence is well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view bytes);

}  // namespace millrace
