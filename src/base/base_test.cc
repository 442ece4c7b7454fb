#include "base/base.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace millrace {
namespace {

TEST(Crc32c, MatchesThePublishedVectors) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720 B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xe3069283u);
}

TEST(Bytes, VarintsRoundTripAtTheirEdges) {
  for (uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{1} << 63,
                         std::numeric_limits<uint64_t>::max()}) {
    std::string bytes;
    append_varint(bytes, value);
    EXPECT_EQ(bytes.size(), varint_size(value));
    ByteReader reader(bytes);
    EXPECT_EQ(reader.varint(), value);
    EXPECT_TRUE(reader.at_end());
    EXPECT_FALSE(reader.failed());
  }
  EXPECT_EQ(unzigzag(zigzag(std::numeric_limits<int64_t>::min())),
            std::numeric_limits<int64_t>::min());
}

TEST(Bytes, ReaderNeverPassesTheEnd) {
  ByteReader reader("\x01\x02\x03");
  EXPECT_EQ(reader.be<uint16_t>(), 0x0102);
  EXPECT_EQ(reader.be<uint32_t>(), 0u);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.take(1), "");
  ByteReader endless(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11));
  endless.varint();
  EXPECT_TRUE(endless.failed());
}

TEST(Uuid, TakesBothCasesAndRefusesAllElse) {
  auto uuid = parse_uuid("5FF6DA15-aac5-423b-adba-cac180b002e0");
  ASSERT_TRUE(uuid);
  EXPECT_EQ(to_string(*uuid), "5ff6da15-aac5-423b-adba-cac180b002e0");
  EXPECT_FALSE(parse_uuid("5ff6da15-aac5-423b-adba-cac180b002e"));
  EXPECT_FALSE(parse_uuid("5ff6da15-aac5-423b-adba-cac180b002eg"));
  EXPECT_FALSE(parse_uuid("5ff6da15aaac5a423baadbaacac180b002e0"));
  EXPECT_EQ(random_uuid().bytes[6] >> 4, 4);
}

TEST(Time, TimestampsOfEveryAcceptedForm) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_timestamp("1988-06-28T19:49:18.816Z"), 583530558816000);
  EXPECT_EQ(parse_timestamp("2026-11-21 07:07:09.123456+02:00"),
            parse_timestamp("2026-11-21T05:07:09.123456Z"));
  EXPECT_EQ(parse_timestamp("2026-11-21T05:07"), parse_timestamp("2026-11-21T05:07:00Z"));
  EXPECT_EQ(parse_timestamp("2026-11-21"), parse_timestamp("2026-11-21T00:00:00Z"));
  for (const char* bad : {"2026-02-29T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T05:07:09.Z",
                          "2026-11-21T05:07:09.1234567Z", "2026-11-21X05:07:09Z", "", "0000-01-01",
                          "2026-11-21T05:07:09+2", "2026-11-21T05:07:09Zz"})
    EXPECT_FALSE(parse_timestamp(bad)) << bad;
}

TEST(Time, FormatsWhatItParses) {
  for (const char* text : {"1988-06-28T19:49:18.816Z", "0001-01-01T00:00:00Z",
                           "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999Z"})
    EXPECT_EQ(format_timestamp(*parse_timestamp(text)), text);
  EXPECT_EQ(format_date(*parse_date("2024-02-29")), "2024-02-29");
  EXPECT_EQ(format_time_of_day(*parse_time_of_day("23:59:59.5")), "23:59:59.500");
}

TEST(Time, Durations) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("7d"), 168h);
  for (const char* bad : {"", "s", "1", "1.5s", "-1s", "1000001s", "1 s", "1w"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(0s), "0s");
}

TEST(Text, SuggestsTheNearestWordOnly) {
  std::array<std::string, 3> keys = {"primary_key", "from", "expect"};
  EXPECT_EQ(did_you_mean("primarykey", keys), "primary_key");
  EXPECT_EQ(did_you_mean("form", keys), "from");
  EXPECT_EQ(did_you_mean("retention", keys), "");
}

TEST(Text, NumbersAndExcerptsForPeople) {
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(with_thousands(-1234), "-1,234");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(parse_size("0B"), 0);
  EXPECT_EQ(parse_size("64KiB"), 65'536);
  EXPECT_EQ(parse_size("2GB"), 2'000'000'000);
  EXPECT_EQ(parse_size("1000000000TiB"), std::nullopt);
  for (std::string_view text : {"", "1", "MiB", "-1B", "1.5MiB", "1 MiB", "1mib", "1XB", "1iB",
                                "1KIB", "1KiBB", "1000000001B", "99999999999999999999B"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
  EXPECT_EQ(format_size(256 << 20), "256MiB");
  EXPECT_EQ(format_size(1000), "1000B");
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(excerpt("a\nb\xff", 10), "a b?");
  EXPECT_EQ(excerpt("Müller", 2), "M…");  // never half a character
  EXPECT_TRUE(is_utf8("Zoë Мария نازنین"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xc0\xaf"));
}

TEST(Base64, ReadsWhatItWrote) {
  for (std::string_view bytes : {"", "a", "ab", "abc", "user:pass", "\xff\xfe"}) {
    std::string text;
    append_base64(bytes, text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
  std::string text;
  append_base64("user:pass", text);
  EXPECT_EQ(text, "dXNlcjpwYXNz");
  EXPECT_EQ(decode_base64("a"), std::nullopt);
  EXPECT_EQ(decode_base64("!!!!"), std::nullopt);
}

}  // namespace
}  // namespace millrace
