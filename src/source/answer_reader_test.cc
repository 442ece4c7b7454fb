#include "source/answer_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/answer_format.h"

namespace millrace::source {
namespace {

using spec::Format;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

TEST(FormatOf, FollowsTheContentType) {
  EXPECT_EQ(*format_of(Format::kByType, "application/json; charset=utf-8", "[]"), Format::kJson);
  EXPECT_EQ(*format_of(Format::kByType, "application/vnd.geo+json", "{}"), Format::kJson);
  EXPECT_EQ(*format_of(Format::kByType, "Application/X-NDJSON", "{}"), Format::kJsonLines);
  EXPECT_EQ(*format_of(Format::kByType, "text/csv;header=present", "a,b"), Format::kCsv);
  EXPECT_EQ(*format_of(Format::kByType, "text/plain", " [1]"), Format::kJson);
  EXPECT_EQ(*format_of(Format::kByType, "", ""), Format::kJson);
  EXPECT_EQ(*format_of(Format::kCsv, "application/octet-stream", "a,b"), Format::kCsv);
  EXPECT_EQ(*format_of(Format::kCsv, "text/plain", "<TICKER>,<DATE>"), Format::kCsv);
  EXPECT_EQ(*format_of(Format::kByType, "text/csv", "<TICKER>,<DATE>"), Format::kCsv);
}

TEST(FormatOf, NamesWhatIsNone) {
  auto words = [](Format wanted, std::string_view type, std::string_view body) {
    auto format = format_of(wanted, type, body);
    return format ? "" : format.error().message();
  };
  EXPECT_THAT(words(Format::kByType, "text/html", "<p>Log in"),
              HasSubstr("is text/html, not JSON"));
  EXPECT_THAT(words(Format::kJson, "application/json", "\n<html>"), HasSubstr("begins"));
  EXPECT_THAT(words(Format::kByType, "application/rss+xml", "<rss/>"), HasSubstr("rss+xml"));
  EXPECT_THAT(words(Format::kByType, "", "<rss/>"), HasSubstr("HTML or XML"));
  EXPECT_THAT(words(Format::kByType, "image/png", "\x89PNG"), HasSubstr("says it is image/png"));
  EXPECT_THAT(words(Format::kByType, "text/plain", "a,b"), HasSubstr("'format'"));
}

TEST(AnswerReader, SaysWhereItLookedForItems) {
  spec::SourceSpec spec;
  spec.format = Format::kJson;
  auto words = [&](std::string body) {
    auto size = body.size();
    body.append(kBodyPadding, '\0');
    auto answer = AnswerReader(spec).read({.body = std::string_view(body).substr(0, size)});
    EXPECT_EQ(answer.error().code(), ErrorCode::kCorrupt);
    return answer.error().message();
  };
  EXPECT_THAT(words("7"), EndsWith("; check the source's url"));
  EXPECT_THAT(words("[1"), Not(HasSubstr("check the source")));
  spec.items = {"result"};
  EXPECT_EQ(words(R"({"results":[],"info":{}})"),
            "the response cannot be read: there is no 'result' in it; did you mean 'results'?; it "
            "begins {\"results\":[],\"info\":{}}; check the source's `items` and url");
  EXPECT_THAT(words(R"({"result":7})"), EndsWith("; check the source's `items` and url"));
}

TEST(AnswerReader, FindsWhatLeadsToTheNextPage) {
  spec::SourceSpec spec;
  spec.items = {"items"};
  spec.http.url = {.value = "http://a/v1", .shown = "http://a/v1", .place = {}};
  spec.http.page = {.by = spec::PageBy::kCursor, .parameter = "after", .from = {"meta", "next"}};
  auto next = [&](std::string body) {
    auto size = body.size();
    body.append(kBodyPadding, '\0');
    Response response{.body = std::string_view(body).substr(0, size), .url = "http://a/v1"};
    AnswerReader reader(spec);
    auto answer = reader.read(response);
    return answer ? answer->next : answer.error().message();
  };
  EXPECT_EQ(next(R"({"items":[1],"meta":{"next":"x/y"}})"), "x/y");
  EXPECT_EQ(next(R"({"items":[1],"meta":{"next":12}})"), "12");
  for (const char* none : {"null", "false", "{}", "\"\""})
    EXPECT_EQ(next(fmt::format(R"({{"meta":{{"next":{}}},"items":[1]}})", none)), "") << none;
  EXPECT_EQ(next(R"({"items":[1]})"), "");
  // As items are read whatever is in one of them, so is this.
  for (const char* item : {"\"\xe9\"", "\"a\tb\"", "{\"\xff\":1}"})
    EXPECT_EQ(next(fmt::format(R"({{"items":[{}],"meta":{{"next":"ž"}}}})", item)), "ž") << item;
  EXPECT_EQ(next("\xef\xbb\xbf"
                 R"({"items":[1],"meta":{"next":"x"}})"),
            "x");
  for (const char* bad : {"\xe9", "\\ud800", "a\tb"})
    EXPECT_THAT(next(fmt::format(R"({{"items":[1],"meta":{{"next":"{}"}}}})", bad)),
                HasSubstr("'meta.next', which leads to the next page, cannot be read"));
  spec.format = Format::kJsonLines;
  EXPECT_THAT(next("{}\n{}"), HasSubstr("is looked for in JSON, and the response is JSON lines"));
  spec.format = Format::kByType;
  spec.http.page->parameter.clear();
  EXPECT_EQ(next(R"({"items":[1],"meta":{"next":"/v1?page=2"}})"), "http://a/v1?page=2");
}

}  // namespace
}  // namespace millrace::source
