#include "source/pager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/limits.h"
#include "source/link_header.h"
#include "source/next_address.h"
#include "source/request.h"
#include "source/since.h"
#include "sql/json_split.h"

namespace millrace::source {
namespace {

using spec::PageBy;
using testing::ElementsAre;
using testing::HasSubstr;

class PagerTest : public testing::Test {
 protected:
  spec::HttpSpec http(spec::PageSpec page) {
    spec::HttpSpec made;
    made.url = {.value = "http://api.example/v1", .shown = "http://api.example/v1", .place = {}};
    made.page = std::move(page);
    return made;
  }

  // Takes the new items of an answer, which is the last of its pass where `is_last` is true.
  std::vector<std::string> take(Pager& pager, const std::vector<std::string>& items,
                                const std::string& next = "") {
    std::vector<std::string> padded;
    std::vector<std::string_view> views;
    for (const auto& item : items) padded.push_back(item + std::string(sql::kJsonPadding, ' '));
    for (size_t i = 0; i < items.size(); ++i)
      views.push_back(std::string_view(padded[i]).substr(0, items[i].size()));
    auto step = pager.step(cursor, views, next);
    EXPECT_TRUE(step) << step.error().message();
    cursor = *parse_cursor(to_json(step->cursor, "s"));
    cursor.look = step->cursor.look;
    cursor.page_hash = step->cursor.page_hash;
    EXPECT_EQ(cursor, step->cursor);
    is_last = step->is_last;
    std::vector<std::string> fresh;
    for (size_t i = 0; i < items.size(); ++i)
      if (step->fresh[i] != 0) fresh.push_back(items[i]);
    EXPECT_EQ(fresh.size(), step->fresh_count);
    return fresh;
  }

  std::string url(const spec::HttpSpec& spec) { return request_for(spec, cursor)->url; }

  // One pass over an API by number whose pages have at most `cap` items; what is new in it.
  std::vector<std::string> pass(Pager& pager, const spec::HttpSpec& spec,
                                const std::vector<std::string>& items, size_t cap) {
    std::vector<std::string> fresh;
    requests = 0;
    do {
      auto asked = url(spec);
      size_t begin = (std::stoul(asked.substr(asked.find('=') + 1)) - 1) * cap;
      std::vector<std::string> page;
      for (size_t i = begin; i < std::min(begin + cap, items.size()); ++i) page.push_back(items[i]);
      auto more = take(pager, page);
      fresh.insert(fresh.end(), more.begin(), more.end());
    } while (++requests < 100 && !is_last);
    return fresh;
  }

  Cursor cursor;
  bool is_last = false;
  int requests = 0;
};

TEST_F(PagerTest, ByNumberGoesOnUntilAPageIsEmpty) {
  auto spec = http({.first = 0});
  Pager pager(spec);
  cursor = pager.first();
  EXPECT_EQ(url(spec), "http://api.example/v1?page=0");
  EXPECT_THAT(take(pager, {"1", "2"}), ElementsAre("1", "2"));
  EXPECT_FALSE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?page=1");
  EXPECT_THAT(take(pager, {}), ElementsAre());
  EXPECT_TRUE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?page=1");
}

TEST_F(PagerTest, AShortPageIsAskedForAgainUntilItIsFull) {
  auto spec = http({.size = 3, .size_parameter = "per_page"});
  Pager pager(spec);
  cursor = pager.first();
  EXPECT_EQ(url(spec), "http://api.example/v1?page=1&per_page=3");
  EXPECT_THAT(take(pager, {"1", "2"}), ElementsAre("1", "2"));
  EXPECT_FALSE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?page=2&per_page=3");
  EXPECT_TRUE(request_for(spec, cursor)->looks_ahead);
  take(pager, {});
  EXPECT_TRUE(is_last);
  EXPECT_EQ(cursor.page, 1);
  EXPECT_FALSE(request_for(spec, cursor)->looks_ahead);
  EXPECT_THAT(take(pager, {"1", "2"}), ElementsAre());
  take(pager, {});
  EXPECT_TRUE(is_last);
  EXPECT_THAT(take(pager, {"1", "2", "1"}), ElementsAre("1"));
  EXPECT_FALSE(is_last);
  EXPECT_EQ(cursor.page, 2);
  EXPECT_TRUE(cursor.seen.empty());
}

TEST_F(PagerTest, EqualItemsOfOnePageAreAllTaken) {
  Pager pager(http({.size = 5}));
  EXPECT_THAT(take(pager, {"7", "7"}), ElementsAre("7", "7"));
  take(pager, {});
  EXPECT_THAT(take(pager, {"7", "7", "7"}), ElementsAre("7"));
}

TEST_F(PagerTest, AnApiThatGivesFewerItemsThanAskedForIsReadToItsEnd) {
  auto spec = http({.size = 500});
  Pager pager(spec);
  cursor = pager.first();
  std::vector<std::string> items;
  for (int count : {7, 1, 0, 2, 5, 3}) {
    std::vector<std::string> added;
    for (int i = 0; i < count; ++i) added.push_back(std::to_string(items.size() + added.size()));
    items.insert(items.end(), added.begin(), added.end());
    EXPECT_EQ(pass(pager, spec, items, 3), added);
  }
}

TEST_F(PagerTest, AShortPageThatFillsUpBeforeTheNextOneBeginsIsReadOnceMore) {
  auto spec = http({.size = 3});
  Pager pager(spec);
  cursor = pager.first();
  take(pager, {"1"});
  EXPECT_THAT(take(pager, {"4"}), ElementsAre()) << "page 2, before the rest of page 1";
  EXPECT_FALSE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?page=1");
  EXPECT_THAT(take(pager, {"1", "2", "3"}), ElementsAre("2", "3"));
  EXPECT_EQ(url(spec), "http://api.example/v1?page=2");
  EXPECT_THAT(take(pager, {"4"}), ElementsAre("4"));
}

TEST_F(PagerTest, APageOfPastTheEndMayBeTheLastOneAgain) {
  Pager pager(http({.size = 3}));
  take(pager, {"1", "2"});
  EXPECT_THAT(take(pager, {"1", "2"}), ElementsAre());
  EXPECT_TRUE(is_last);
  EXPECT_EQ(cursor.page, 0);
  EXPECT_THAT(take(pager, {"1", "2", "3"}), ElementsAre("3"));
}

TEST_F(PagerTest, ByOffsetCountsItems) {
  auto spec = http({.by = PageBy::kOffset, .parameter = "skip"});
  Pager pager(spec);
  take(pager, {"1", "2"});
  EXPECT_EQ(url(spec), "http://api.example/v1?skip=2");
  EXPECT_THAT(take(pager, {"1"}), ElementsAre("1"));
  EXPECT_FALSE(is_last);
  take(pager, {});
  EXPECT_TRUE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?skip=3");
}

TEST_F(PagerTest, ByOffsetAShortPageIsNotTheLast) {
  auto spec = http({.by = PageBy::kOffset, .size = 500});
  spec.since = {.column = {"at"}, .parameter = "since"};
  Pager pager(spec);
  take(pager, {R"({"at":1})", R"({"at":2})"});
  EXPECT_FALSE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?offset=2");
  EXPECT_EQ(take(pager, {R"({"at":3})"}).size(), 1u);
  take(pager, {});
  EXPECT_TRUE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?offset=0&since=3");
}

TEST_F(PagerTest, TheLastPageOfCursorsIsAskedForAgain) {
  auto spec = http({.by = PageBy::kCursor, .parameter = "after", .from = {"next"}});
  Pager pager(spec);
  EXPECT_EQ(url(spec), "http://api.example/v1");
  take(pager, {"1"}, "a b");
  EXPECT_FALSE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?after=a%20b");
  take(pager, {"2"});
  EXPECT_TRUE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?after=a%20b");
  EXPECT_THAT(take(pager, {"2", "3"}, "c"), ElementsAre("3"));
  EXPECT_FALSE(is_last);
  EXPECT_THAT(take(pager, {"4"}, "c"), ElementsAre("4"));
  EXPECT_TRUE(is_last) << "the cursor stays";
}

TEST_F(PagerTest, EmptyPagesWithEverNewCursorsEndAPass) {
  Pager pager(http({.by = PageBy::kCursor, .parameter = "after", .from = {"next"}}));
  int pages = 0;
  for (is_last = false; !is_last; ++pages) take(pager, {}, std::to_string(pages));
  EXPECT_EQ(pages, limits::kEmptyPagesMax);
  EXPECT_EQ(cursor.next, std::to_string(pages - 1));
}

TEST_F(PagerTest, EmptyPagesEndARunAndNotTheWindow) {
  auto spec = http({.by = PageBy::kCursor, .parameter = "after", .from = {"next"}});
  spec.since = {.column = {"at"}, .parameter = "since", .first = "0"};
  Pager pager(spec);
  take(pager, {R"({"at":5})"}, "first");
  int pages = 0;
  for (is_last = false; !is_last; ++pages) take(pager, {}, std::to_string(pages));
  EXPECT_EQ(url(spec), fmt::format("http://api.example/v1?after={}&since=0", pages - 1));
  take(pager, {R"({"at":7})"});
  EXPECT_TRUE(is_last);
  EXPECT_EQ(url(spec), "http://api.example/v1?since=7");
}

TEST_F(PagerTest, SinceReadsAShortPageOnceMoreAndTakesNothingTwice) {
  auto spec = http({.size = 3});
  spec.since = {.column = {"at"}, .parameter = "since"};
  Pager pager(spec);
  cursor = pager.first();
  std::string one = R"({"at":1})", two = R"({"at":2})", three = R"({"at":3})", four = R"({"at":4})";
  EXPECT_EQ(take(pager, {one, two}).size(), 2u);
  take(pager, {four});
  EXPECT_THAT(take(pager, {one, two, three}), ElementsAre(three));
  EXPECT_THAT(take(pager, {four}), ElementsAre(four));
  EXPECT_FALSE(is_last);
  take(pager, {});
  EXPECT_TRUE(is_last);
  EXPECT_EQ(cursor.seen.size(), 1u);
  EXPECT_EQ(url(spec), "http://api.example/v1?page=1&since=4");
}

TEST_F(PagerTest, SinceKeepsWhatStandsAtTheLargestValue) {
  spec::HttpSpec spec = http({.by = PageBy::kOffset});
  spec.since = {.column = {"at"}, .parameter = "since"};
  Pager pager(spec);
  take(pager, {R"({"at":"2026-01-01T00:00:01Z"})", R"({"at":"2026-01-01T00:00:03Z"})"});
  EXPECT_EQ(url(spec), "http://api.example/v1?offset=2");
  take(pager, {R"({"at":"2026-01-01T00:00:02Z"})"});
  take(pager, {});
  EXPECT_EQ(url(spec), "http://api.example/v1?offset=0&since=2026-01-01T00%3a00%3a03Z");
  EXPECT_EQ(cursor.seen.size(), 1u);
  // A page of larger values first, then the one that is known.
  EXPECT_EQ(take(pager, {R"({"at":"2026-01-01T00:00:09Z"})"}).size(), 1u);
  EXPECT_EQ(take(pager, {R"({"at":"2026-01-01T00:00:03Z"})"}).size(), 0u);
  take(pager, {});
  EXPECT_EQ(cursor.seen.size(), 1u);
  EXPECT_EQ(
      take(pager, {R"({"at":"2026-01-01T00:00:09Z"})", R"({"at":"2026-01-01T00:00:09Z"})"}).size(),
      1u);
}

TEST_F(PagerTest, MoreThanCanBeRememberedIsAnError) {
  spec::HttpSpec spec;
  spec.since = {.column = {"at"}, .parameter = "since"};
  Pager pager(spec);
  std::vector<std::string> texts;
  for (size_t i = 0; i <= limits::kSeenItemsMax; ++i)
    texts.push_back(fmt::format(R"({{"at":1,"id":{}}}{:64})", i, ""));
  auto step = pager.step({}, std::vector<std::string_view>(texts.begin(), texts.end()), "");
  ASSERT_FALSE(step);
  EXPECT_THAT(step.error().message(), HasSubstr("20,001 items may come again"));
}

std::string sent(spec::SinceFormat format, const std::string& largest, int overlap_s = 0) {
  spec::SinceSpec since{.format = format, .overlap = std::chrono::seconds(overlap_s)};
  return since_window(since, largest).text;
}

TEST(Since, IsSentAsTheApiWantsIt) {
  using enum spec::SinceFormat;
  EXPECT_EQ(sent(kAsIs, "2026-01-01 10:00:00+02:00"), "2026-01-01 10:00:00+02:00");
  EXPECT_EQ(sent(kAsIs, "2026-01-01 10:00:00+02:00", 1), "2026-01-01T07:59:59Z");
  EXPECT_EQ(sent(kTimestamp, "1767261600123"), "2026-01-01T10:00:00.123Z");
  EXPECT_EQ(sent(kTimestamp, "1767261600"), "2026-01-01T10:00:00Z");
  EXPECT_EQ(sent(kDate, "2026-01-01T23:59:59.999999999Z"), "2026-01-01");
  EXPECT_EQ(sent(kDate, "2026-01-02", 1), "2026-01-01");
  EXPECT_EQ(sent(kUnix, "2026-01-01T10:00:00.9Z"), "1767261600");
  EXPECT_EQ(sent(kUnix, "1767261600123", 60), "1767261540");
  EXPECT_EQ(sent(kUnixMs, "1767261600.5"), "1767261600500");
  EXPECT_EQ(sent(kAsIs, "1767261600.500100", 1), "1767261599.5001");
  EXPECT_EQ(sent(kAsIs, "1767261600123", 1), "1767261599123");
}

TEST(Since, ValuesHaveTheirOrder) {
  auto less = [](std::string_view a, std::string_view b) {
    return parse_since_value(a)->position < parse_since_value(b)->position;
  };
  EXPECT_TRUE(less("9", "10"));
  EXPECT_TRUE(less("-1.5", "-1.4"));
  EXPECT_TRUE(less("9007199254740993", "9007199254740994"));
  EXPECT_TRUE(less("2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00Z"));
  for (const char* text : {"", "-", "1e5", "1.", "soon", "1234567890123456789012345678901"})
    EXPECT_FALSE(parse_since_value(text)) << text;
}

std::string next_of(std::string value) {
  return std::string(next_link(std::vector<std::string>{std::move(value)}));
}

TEST(LinkHeader, NextIsFoundInEveryForm) {
  EXPECT_EQ(next_of(R"(<http://a/?p=1>; rel="prev", <http://a/?p=3>; rel="next")"),
            "http://a/?p=3");
  EXPECT_EQ(next_of(R"(<b;c,d>;title="x, <y>; rel=next";REL=Next)"), "b;c,d");
  EXPECT_EQ(next_of(R"(< /a > ; rel="last next" ; type=x)"), "/a");
  for (const char* none :
       {"", "<a", "<a>", "<a>; rel=nextly", R"(<a>; title="rel=next")", "rel=next"})
    EXPECT_EQ(next_of(none), "") << none;
  EXPECT_EQ(next_link(std::vector<std::string>{"<a>; rel=prev", "<b>; rel=next"}), "b");
}

TEST(NextAddress, IsWholeAndWithoutSecrets) {
  spec::HttpSpec http;
  http.url = {.value = "http://a.example/v1?key=hush&x=1",
              .shown = "http://a.example/v1?key=***&x=1",
              .place = {}};
  http.page = {.by = PageBy::kLink};
  auto next = next_address(http, "http://a.example/v1?key=hush&x=1",
                           "//me:pass@a.example/v1?key=hush&page=2#top");
  ASSERT_TRUE(next) << next.error().message();
  EXPECT_EQ(next->find("hush"), next->npos) << *next;
  EXPECT_EQ(next->find("pass"), next->npos) << *next;
  auto request = request_for(http, {.next = *next});
  EXPECT_EQ(request->url, "http://a.example/v1?key=hush&page=2");
  for (const char* other : {"https://a.example/", "http://b.example/", "http://a.example:81/"}) {
    auto refused = next_address(http, http.url.value, other);
    ASSERT_FALSE(refused) << other;
    EXPECT_THAT(refused.error().message(), HasSubstr("another server"));
    EXPECT_EQ(refused.error().message().find("hush"), std::string::npos);
  }
}

TEST(NextAddress, KeepsNamesInTheirPlaceWhereverSecretsStand) {
  spec::HttpSpec http;
  http.url = {.value = "http://a.example/bot12:Ab/x",
              .shown = "http://a.example/bot***/x",
              .place = {},
              .secrets = {{"BOT", "12:Ab"}}};
  http.headers = {
      {"X-Key", {.value = "h u/sh", .shown = "***", .place = {}, .secrets = {{"KEY", "h u/sh"}}}}};
  http.page = {.by = PageBy::kLink};
  for (std::string said : {"/bot12:Ab/x?page=2&k=h%20u%2fsh", "/bot12%3AAb/x?page=2&k=h%20u/sh",
                           "http://a.example/bot%312:Ab/x?page=2&k=h u/sh"}) {
    auto next = next_address(http, http.url.value, said);
    ASSERT_TRUE(next) << next.error().message();
    EXPECT_EQ(*next, "http://a.example/bot<secret BOT>/x?page=2&k=<secret KEY>") << said;
    auto request = request_for(http, {.next = *next});
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->url, "http://a.example/bot12:Ab/x?page=2&k=h%20u%2Fsh");
    auto rotated = http;
    rotated.url.value = "http://a.example/bot99/x";
    rotated.url.secrets[0].value = "99";
    EXPECT_EQ(request_for(rotated, {.next = *next})->url,
              "http://a.example/bot99/x?page=2&k=h%20u%2Fsh");
    EXPECT_EQ(request_for(rotated, {.next = *next})->fingerprint, request->fingerprint);
  }
}

TEST(NextAddress, IsForgottenWhereTheSourceIsAnother) {
  spec::HttpSpec http;
  http.url = {.value = "http://new.example/?key=hush",
              .shown = "http://new.example/?key=***",
              .place = {},
              .secrets = {{"KEY", "hush"}}};
  http.page = {.by = PageBy::kLink};
  Cursor here{.next = "http://new.example/?key=***&page=2"};
  EXPECT_FALSE(forget_lost_address(http, here));
  EXPECT_EQ(here.next, "http://new.example/?key=***&page=2");
  for (const char* lost : {"http://old.example/?key=***&page=2", "https://new.example/?key=***",
                           "http://new.example/<secret OTHER>", "a token of before", "a:b"}) {
    Cursor cursor{.next = lost};
    cursor.seen.add(1, 0);
    EXPECT_FALSE(request_for(http, cursor)) << lost;
    auto why = forget_lost_address(http, cursor);
    ASSERT_TRUE(why) << lost;
    EXPECT_EQ(why->message().find("hush"), std::string::npos);
    EXPECT_EQ(request_for(http, cursor)->url, http.url.value);
    EXPECT_TRUE(cursor.seen.empty());
  }
}

TEST(RequestFor, SetsParametersInABody) {
  spec::HttpSpec http;
  http.url = {.value = "http://a/", .shown = "http://a/", .place = {}};
  http.body = {.value = R"({"q":"x","page":{}})", .shown = "", .place = {}};
  http.page = {.by = PageBy::kOffset, .parameter = "page.offset", .in = spec::ParameterIn::kBody};
  auto request = request_for(http, {.offset = 7});
  EXPECT_EQ(request->body, R"({"q":"x","page":{"offset":7}})");
  http.body.value = R"({"page":{"offset":""}})";
  EXPECT_EQ(request_for(http, {.offset = 7})->body, R"({"page":{"offset":"7"}})");
  http.body.value = "q=x";
  auto failed = request_for(http, {});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message(), HasSubstr("no JSON object"));
}

TEST(RequestFor, NamesWhatIsKnownOnlyForTheSameRequest) {
  spec::HttpSpec http;
  http.url = {.value = "http://a/?k=1", .shown = "http://a/?k=***", .place = {}};
  auto first = request_for(http, {});
  Cursor cursor{.etag = "\"1\"", .asked = first->fingerprint};
  EXPECT_EQ(request_for(http, cursor)->etag, "\"1\"");
  http.url.shown = "http://b/?k=***";
  EXPECT_EQ(request_for(http, cursor)->etag, "");
}

}  // namespace
}  // namespace millrace::source
