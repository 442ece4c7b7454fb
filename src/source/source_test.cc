#include "source/source.h"

#include <gtest/gtest.h>

namespace millrace::source {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(BackoffTest, DoublesUpToItsLimit) {
  Backoff backoff(7);
  auto whole = limits::kBackoffFirst;
  for (int i = 0; i < 20; ++i) {
    auto wait = backoff.next();
    EXPECT_GE(wait, whole / 2);
    EXPECT_LE(wait, whole);
    whole = std::min(whole * 2, limits::kBackoffMax);
  }
  backoff.reset();
  EXPECT_LE(backoff.next(), limits::kBackoffFirst);
}

TEST(BackoffTest, DiffersBySeedOnly) {
  Backoff a(1), same(1), b(2);
  bool differs = false;
  for (int i = 0; i < 10; ++i) {
    auto wait = a.next();
    EXPECT_EQ(wait, same.next());
    differs |= wait != b.next();
  }
  EXPECT_TRUE(differs);
}

TEST(BackoffTest, BelievesRetryAfter) {
  Backoff backoff(7);
  EXPECT_EQ(backoff.next(seconds(17)), seconds(17));
  EXPECT_EQ(backoff.next(seconds(1)), seconds(1));
  EXPECT_EQ(backoff.next(seconds::max()), Backoff::kRetryAfterMax);
  EXPECT_GT(backoff.next(seconds(0)), milliseconds(0));
}

TEST(CursorTest, ReadsWhatItWrote) {
  Cursor cursor{.sequence = 3,
                .page = INT64_MAX,
                .items = 300,
                .records = 298,
                .filtered = 1,
                .dead_letters = 1,
                .redriven = 2,
                .next = "c\"1"};
  auto json = to_json(cursor, "random_\"users\"");
  EXPECT_EQ(
      json,
      R"({"source":"random_\"users\"","sequence":3,"page":9223372036854775807,"offset":0,)"
      R"("items":300,"records":298,"filtered":1,"dead_letters":1,"redriven":2,"next":"c\"1"})");
  cursor.since = cursor.largest = "ż";
  cursor.etag = "\"x\"";
  for (int i = 0; i < 3; ++i) cursor.seen.add(SeenItems::hash(std::to_string(i)), -i);
  json = to_json(cursor, "s");
  auto parsed = parse_cursor(json);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(*parsed, cursor);
}

TEST(CursorTest, ToleratesOtherVersions) {
  auto parsed = parse_cursor(R"({"page":4,"mood":["x"],"source":7})");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(*parsed, Cursor{.page = 4});
}

TEST(CursorTest, RefusesWhatIsNoCursor) {
  for (std::string_view text :
       {"", "[]", "{", "7", R"({"page":"4"})", R"({"page":-1})", R"({"page":1.5})",
        R"({"page":null})", R"({"page":9223372036854775808})", R"({"next":1})", R"({"seen":"0"})",
        "{} {}"}) {
    auto parsed = parse_cursor(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace millrace::source
