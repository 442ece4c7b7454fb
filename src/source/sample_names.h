// The invented people of sample://randomuser: what they are called, by language, and what is
// particular to each nationality.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace millrace::source {

using Words = std::span<const std::string_view>;

// Names as they are written in their language; UTF-8.
struct People {
  Words men;
  Words women;
  Words families;
};

extern const People kEnglish, kFrench, kGerman, kSwiss, kDutch, kDanish, kNorwegian, kFinnish,
    kSpanish, kBrazilian, kSerbian, kTurkish, kUkrainian, kPersian, kIndian;

// In a pattern, '#' is a digit, '^' a digit from 1, '@' a letter A-Z; 'd', 'm' and 'y' are day,
// month and year of birth in two digits each, 's' is 1 for men and 2 for women; all else is itself.
using Pattern = std::string_view;

struct Nation {
  std::string_view code;  // as in `nat`: "AU"
  std::string_view country;
  const People& people;
  Words cities;
  Words states;
  Words streets;
  Pattern phone;
  Pattern cell;
  std::string_view id_name;
  Pattern id;        // empty: id.value is null
  Pattern postcode;  // empty: a number from postcode_low to postcode_high
  uint32_t postcode_low = 10'000;
  uint32_t postcode_high = 99'999;
};

// By code.
std::span<const Nation> nations();

}  // namespace millrace::source
