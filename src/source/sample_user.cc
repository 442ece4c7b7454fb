#include "source/sample_user.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/bytes.h"
#include "base/uuid.h"
#include "source/ascii.h"
#include "source/json.h"

namespace millrace::source {

namespace {

using namespace std::string_view_literals;
using Word = std::string_view;

constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kYearMs = 31'556'952'000;  // 365.2425 days

// The day on which everyone has the age that is told: fixed, so that a seed always gives the same.
constexpr std::chrono::sys_days kToday = std::chrono::year(2026) / 1 / 1;
constexpr int64_t kNowMs = kToday.time_since_epoch().count() * kDayMs;

constexpr auto kAdjectives = std::to_array<Word>(
    {"amber",  "ancient", "bold",    "brave",  "bright", "bronze",   "calm",   "clever",
     "copper", "cosmic",  "crimson", "dapper", "eager",  "electric", "frosty", "gentle",
     "golden", "happy",   "hidden",  "humble", "indigo", "jolly",    "keen",   "lively",
     "lucky",  "mellow",  "misty",   "noble",  "olive",  "quiet",    "rapid",  "scarlet",
     "silent", "sleepy",  "snowy",   "solar",  "sunny",  "swift",    "tidy",   "velvet"});
constexpr auto kAnimals = std::to_array<Word>(
    {"badger",  "beaver",  "bison",  "condor",  "coyote", "crane",  "curlew", "dingo",
     "dolphin", "falcon",  "ferret", "finch",   "gecko",  "gibbon", "heron",  "hornet",
     "ibex",    "iguana",  "jackal", "kestrel", "lemur",  "lynx",   "magpie", "marten",
     "moose",   "narwhal", "newt",   "ocelot",  "osprey", "otter",  "puffin", "raven",
     "salmon",  "sparrow", "stoat",  "tapir",   "turtle", "walrus", "weasel", "wombat"});
constexpr auto kPasswords = std::to_array<Word>(
    {"anchor1", "bluebird",  "candle",  "castle12", "diamond7", "evergreen", "firefly",  "garden",
     "hello99", "icecream",  "jigsaw",  "kitten22", "lantern",  "midnight",  "nutmeg",   "orchard",
     "pepper5", "quicksand", "rainbow", "starfish", "thunder",  "umbrella",  "volcano1", "willow"});

struct Zone {
  Word offset;
  Word description;
};
constexpr auto kZones = std::to_array<Zone>({{"-11:00", "Pago Pago, Niue"},
                                             {"-10:00", "Honolulu"},
                                             {"-9:00", "Anchorage"},
                                             {"-8:00", "Los Angeles, Vancouver"},
                                             {"-7:00", "Denver, Calgary"},
                                             {"-6:00", "Chicago, Mexico City"},
                                             {"-5:00", "New York, Bogotá"},
                                             {"-4:00", "Halifax, La Paz"},
                                             {"-3:30", "St. John's"},
                                             {"-3:00", "São Paulo, Buenos Aires"},
                                             {"-2:00", "South Georgia"},
                                             {"-1:00", "Praia"},
                                             {"0:00", "London, Lisbon, Accra"},
                                             {"+1:00", "Berlin, Paris, Lagos"},
                                             {"+2:00", "Kyiv, Helsinki, Cairo"},
                                             {"+3:00", "Istanbul, Nairobi"},
                                             {"+3:30", "Tehran"},
                                             {"+4:00", "Dubai, Baku"},
                                             {"+4:30", "Kabul"},
                                             {"+5:00", "Karachi, Tashkent"},
                                             {"+5:30", "Mumbai, Delhi, Colombo"},
                                             {"+5:45", "Kathmandu"},
                                             {"+6:00", "Dhaka, Bishkek"},
                                             {"+7:00", "Bangkok, Jakarta"},
                                             {"+8:00", "Perth, Singapore"},
                                             {"+9:00", "Tokyo, Seoul"},
                                             {"+9:30", "Adelaide, Darwin"},
                                             {"+10:00", "Sydney, Hobart"},
                                             {"+11:00", "Nouméa"},
                                             {"+12:00", "Auckland, Suva"}});

// Pieces and numbers, one after the other.
template <class... Pieces>
void append(std::string& to, const Pieces&... pieces) {
  auto one = [&to](const auto& piece) {
    if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(piece)>>) {
      fmt::format_int digits(piece);
      to.append(digits.data(), digits.size());
    } else {
      to.append(std::string_view(piece));
    }
  };
  (one(pieces), ...);
}

void append_two_digits(std::string& to, uint32_t number) {
  to += static_cast<char>('0' + number / 10 % 10);
  to += static_cast<char>('0' + number % 10);
}

std::chrono::year_month_day date_of(int64_t ms) {
  return std::chrono::sys_days(
      std::chrono::floor<std::chrono::days>(std::chrono::milliseconds(ms)));
}

// "1988-06-28T19:49:18.816Z"
void append_time(std::string& to, int64_t ms) {
  auto date = date_of(ms);
  auto of_day = static_cast<uint32_t>((ms % kDayMs + kDayMs) % kDayMs);
  append(to, static_cast<int>(date.year()), "-");
  append_two_digits(to, static_cast<unsigned>(date.month()));
  to += '-';
  append_two_digits(to, static_cast<unsigned>(date.day()));
  to += 'T';
  append_two_digits(to, of_day / 3'600'000);
  to += ':';
  append_two_digits(to, of_day / 60'000 % 60);
  to += ':';
  append_two_digits(to, of_day / 1'000 % 60);
  to += '.';
  to += static_cast<char>('0' + of_day / 100 % 10);
  append_two_digits(to, of_day % 100);
  to += 'Z';
}

// {"date":…,"age":whole years until kToday}
void append_time_and_age(std::string& to, int64_t ms) {
  auto then = date_of(ms);
  std::chrono::year_month_day today(kToday);
  auto years = static_cast<int>(today.year()) - static_cast<int>(then.year());
  bool later_in_year = then.month() != today.month() || then.day() != today.day();
  append(to, R"({"date":")");
  append_time(to, ms);
  append(to, R"(","age":)", later_in_year ? years - 1 : years, "}");
}

void append_pattern(std::string& to, Pattern pattern, SampleUser& user) {
  auto born = date_of(user.born_ms);
  for (char c : pattern) {
    switch (c) {
      case '#':
        to += static_cast<char>('0' + user.random.below(10));
        break;
      case '^':
        to += static_cast<char>('1' + user.random.below(9));
        break;
      case '@':
        to += static_cast<char>('A' + user.random.below(26));
        break;
      case 'd':
        append_two_digits(to, static_cast<unsigned>(born.day()));
        break;
      case 'm':
        append_two_digits(to, static_cast<unsigned>(born.month()));
        break;
      case 'y':
        append_two_digits(to, static_cast<uint32_t>(static_cast<int>(born.year())));
        break;
      case 's':
        to += user.man ? '1' : '2';
        break;
      default:
        to += c;
    }
  }
}

void append_quoted_pattern(std::string& to, Pattern pattern, SampleUser& user) {
  to += '"';
  append_pattern(to, pattern, user);
  to += '"';
}

// `digits` is a multiple of 8.
void append_hex(std::string& to, Random& random, size_t digits) {
  for (; digits > 0; digits -= 8) {
    auto bits = static_cast<uint32_t>(random.next() >> 32);
    for (int shift = 28; shift >= 0; shift -= 4) to += "0123456789abcdef"[bits >> shift & 15];
  }
}

// "-0.7185": degrees from -limit to limit.
void append_degrees(std::string& to, Random& random, int64_t limit) {
  auto parts = random.between(-limit * 10'000, limit * 10'000);
  auto size = static_cast<uint32_t>(parts < 0 ? -parts : parts);
  append(to, parts < 0 ? "-" : "", size / 10'000, ".");
  append_two_digits(to, size / 100);
  append_two_digits(to, size);
}

void write_gender(SampleUser& user, std::string& to) {
  to += user.man ? R"("male")" : R"("female")";
}

void write_name(SampleUser& user, std::string& to) {
  constexpr auto kWomen = std::to_array<Word>({"Miss", "Mrs", "Ms"});
  constexpr auto kSwissWomen = std::to_array<Word>({"Madame", "Mademoiselle"});
  bool swiss = user.nation->code == "CH";
  const auto& people = user.nation->people;
  auto woman = swiss ? user.random.pick(kSwissWomen) : user.random.pick(kWomen);
  user.first = user.random.pick(user.man ? people.men : people.women);
  user.last = user.random.pick(people.families);
  append(to, R"({"title":")", !user.man ? woman : swiss ? "Monsieur"sv : "Mr"sv, R"(","first":)");
  append_json_string(to, user.first);
  append(to, R"(,"last":)");
  append_json_string(to, user.last);
  to += '}';
}

void write_location(SampleUser& user, std::string& to) {
  auto& random = user.random;
  const auto& nation = *user.nation;
  append(to, R"({"street":{"number":)", 1 + random.below(9'999), R"(,"name":)");
  append_json_string(to, random.pick(nation.streets));
  append(to, R"(},"city":)");
  append_json_string(to, random.pick(nation.cities));
  append(to, R"(,"state":)");
  append_json_string(to, random.pick(nation.states));
  append(to, R"(,"country":")", nation.country, R"(","postcode":)");
  if (nation.postcode.empty()) {
    append(to, random.between(nation.postcode_low, nation.postcode_high));
  } else {
    append_quoted_pattern(to, nation.postcode, user);
  }
  append(to, R"(,"coordinates":{"latitude":")");
  append_degrees(to, random, 90);
  append(to, R"(","longitude":")");
  append_degrees(to, random, 180);
  const auto& zone = random.pick(kZones);
  append(to, R"("},"timezone":{"offset":")", zone.offset, R"(","description":)");
  append_json_string(to, zone.description);
  append(to, "}}");
}

void write_email(SampleUser& user, std::string& to) {
  to += '"';
  append_ascii(to, user.first);
  to += '.';
  append_ascii(to, user.last);
  append(to, R"(@example.com")");
}

void write_login(SampleUser& user, std::string& to) {
  auto& random = user.random;
  Uuid uuid;
  for (size_t half = 0; half < 2; ++half) {
    // Big-endian, so that the text is the same on every machine.
    store_be(reinterpret_cast<char*>(&uuid.bytes[half * 8]), random.next());
  }
  uuid.bytes[6] = static_cast<uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  std::array<char, 36> text;
  write_uuid(uuid, text.data());
  append(to, R"({"uuid":")", std::string_view(text.data(), text.size()), R"(","username":")",
         random.pick(kAdjectives));
  append(to, random.pick(kAnimals), 100 + random.below(900), R"(","password":")");
  append(to, random.pick(kPasswords), R"(","salt":")");
  constexpr auto kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"sv;
  for (int i = 0; i < 8; ++i) to += random.pick(kLetters);
  append(to, R"(","md5":")");
  append_hex(to, random, 32);
  append(to, R"(","sha1":")");
  append_hex(to, random, 40);
  append(to, R"(","sha256":")");
  append_hex(to, random, 64);
  append(to, R"("})");
}

void write_dob(SampleUser& user, std::string& to) {
  user.born_ms = user.random.between(kNowMs - 81 * kYearMs, kNowMs - 21 * kYearMs);
  append_time_and_age(to, user.born_ms);
}

void write_registered(SampleUser& user, std::string& to) {
  auto earliest = std::max(kNowMs - 24 * kYearMs, user.born_ms + 16 * kYearMs);
  append_time_and_age(to, user.random.between(earliest, kNowMs - 1));
}

void write_phone(SampleUser& user, std::string& to) {
  append_quoted_pattern(to, user.nation->phone, user);
}

void write_cell(SampleUser& user, std::string& to) {
  append_quoted_pattern(to, user.nation->cell, user);
}

void write_id(SampleUser& user, std::string& to) {
  append(to, R"({"name":")", user.nation->id_name, R"(","value":)");
  if (user.nation->id.empty()) {
    append(to, "null");
  } else {
    append_quoted_pattern(to, user.nation->id, user);
  }
  to += '}';
}

void write_picture(SampleUser& user, std::string& to) {
  // The portraits that there are.
  auto number = user.random.below(user.man ? 100 : 97);
  auto of = user.man ? "men/"sv : "women/"sv;
  constexpr auto kBase = "https://randomuser.me/api/portraits/"sv;
  append(to, R"({"large":")", kBase, of, number, R"(.jpg","medium":")", kBase, "med/", of, number);
  append(to, R"(.jpg","thumbnail":")", kBase, "thumb/", of, number, R"(.jpg"})");
}

void write_nat(SampleUser& user, std::string& to) {
  append(to, "\"", user.nation->code, "\"");
}

constexpr SampleField kFields[] = {{"gender", write_gender},
                                   {"name", write_name},
                                   {"location", write_location},
                                   {"email", write_email},
                                   {"login", write_login},
                                   {"dob", write_dob},
                                   {"registered", write_registered},
                                   {"phone", write_phone},
                                   {"cell", write_cell},
                                   {"id", write_id},
                                   {"picture", write_picture},
                                   {"nat", write_nat}};

}  // namespace

std::span<const SampleField> sample_fields() {
  return kFields;
}

}  // namespace millrace::source
