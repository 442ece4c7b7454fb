// What a request has in it, and to whom it goes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "source/test_api.h"
#include "source/test_server.h"

namespace millrace::source {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AskingTest : public testing::Test {
 protected:
  // A proxy that the machine may have is not for loopback.
  static void SetUpTestSuite() { ::setenv("no_proxy", "127.0.0.1", 1); }
};

TEST_F(AskingTest, ConfiguredHeadersStayWithTheConfiguredServer) {
  TestServer other([](const auto&) { return response(200, "[2]"); });
  TestServer server([&](const std::string& request) {
    auto to = request.starts_with("GET /a ") ? std::string("/b") : other.url("/c");
    return response(307, "", "Location: " + to + "\r\n");
  });
  auto spec = http(server.url("/a"));
  spec.headers = {
      {"X-Api-Key",
       {.value = "tr0mbone", .shown = "***", .place = {}, .secrets = {{"KEY", "tr0mbone"}}}}};
  Api api(spec);
  auto body = api.fetch();
  ASSERT_TRUE(body) << body.error().message();
  EXPECT_EQ(*body, "[2]");
  ASSERT_EQ(server.requests().size(), 2u);
  EXPECT_THAT(server.requests()[1], HasSubstr("X-Api-Key: tr0mbone"));
  EXPECT_THAT(other.requests()[0], AllOf(Not(HasSubstr("tr0mbone")), HasSubstr("Accept: ")));
}

TEST_F(AskingTest, SecretsArriveAndAreNeverShown) {
  TestServer server([](const std::string& request) {
    return response(403, "who are you, " + request + " (TR0MBONE, hush%2fquiet)?");
  });
  auto spec = http("");
  auto url = server.url("/api?key=");
  spec.url = {.value = url + "s%20esame&n=1",
              .shown = url + "***&n=1",
              .place = {},
              .secrets = {{"KEY", "s%20esame"}}};
  spec.headers = {{"Authorization",
                   {.value = "Bearer Tr0mbone",
                    .shown = "Bearer ***",
                    .place = {},
                    .secrets = {{"TOKEN", "Tr0mbone"}}}},
                  {"X-Both",
                   {.value = "hush/quiet!",
                    .shown = "***/***!",
                    .place = {},
                    .secrets = {{"A", "hush"}, {"B", "quiet"}}}}};
  Api api(spec);
  auto body = api.fetch();
  ASSERT_FALSE(body);
  EXPECT_THAT(server.requests()[0],
              AllOf(HasSubstr("key=s%20esame&n=1"), HasSubstr("Authorization: Bearer Tr0mbone\r\n"),
                    HasSubstr("X-Both: hush/quiet!\r\n")));
  EXPECT_THAT(body.error().message(), AllOf(HasSubstr(url + "***&n=1"), HasSubstr("who are you"),
                                            HasSubstr("GET /api?key=***"), Not(HasSubstr("esame")),
                                            Not(HasSubstr("0mbone")), Not(HasSubstr("0MBONE")),
                                            Not(HasSubstr("hush")), Not(HasSubstr("quiet"))));
}

TEST_F(AskingTest, AuthGoesToTheConfiguredServerOnly) {
  TestServer other([](const auto&) { return response(200, "[]"); });
  TestServer server(
      [&](const auto&) { return response(302, "", "Location: " + other.url("/") + "\r\n"); });
  auto spec = http(server.url("/api"));
  spec.auth.emplace();
  spec.auth->basic = {.user = text("robot"), .password = text("hush")};
  ASSERT_TRUE(Api(spec).fetch());
  EXPECT_THAT(server.requests()[0], HasSubstr("Authorization: Basic cm9ib3Q6aHVzaA==\r\n"));
  EXPECT_THAT(other.requests()[0], Not(HasSubstr("uthorization")));
  spec.auth->basic.reset();
  spec.auth->bearer = text("t0ken");
  ASSERT_TRUE(Api(spec).fetch());
  EXPECT_THAT(server.requests()[1], HasSubstr("Authorization: Bearer t0ken\r\n"));
  EXPECT_THAT(other.requests()[1], Not(HasSubstr("uthorization")));
}

TEST_F(AskingTest, EncodedSecretsAreNotShownEither) {
  TestServer server(
      [](const auto&) { return response(403, R"(p%2Fa+%22s p\/a \"s P/A "S cm9ib3Q6cC9hICJz)"); });
  auto spec = http(server.url("/api"));
  spec.auth.emplace();
  spec.auth->basic = {
      .user = text("robot"),
      .password = {.value = "p/a \"s", .shown = "***", .secrets = {{"PASSWORD", "p/a \"s"}}}};
  auto body = Api(spec).fetch();
  ASSERT_FALSE(body);
  EXPECT_THAT(body.error().message(), HasSubstr("'*** *** *** ***'"));
}

TEST_F(AskingTest, SecretsAreNotShownWhereATextIsCutInTheirMiddle) {
  auto spec = http("");
  std::string said;
  TestServer server([&](const auto&) { return response(200, said); });
  spec.url = {.value = server.url("/api"), .shown = server.url("/api"), .place = {}};
  spec.body = {.value = "tr0mb/ne\n1", .shown = "***", .secrets = {{"K", "tr0mb/ne\n1"}}};
  Api api(spec);
  spec::SourceSpec source{.http = spec};
  AnswerReader reader(source);
  for (std::string secret : {"tr0mb/ne\n1", "tr0mb%2Fne 1", R"(TR0MB\/NE 1)"}) {
    for (size_t before = 100; before < 125; ++before) {
      said = "<" + std::string(before, '-') + secret + " and more";
      auto answer = api.ask();
      ASSERT_TRUE(answer) << answer.error().message();
      auto items = reader.read(*answer);
      ASSERT_FALSE(items);
      auto shown = api.fetcher.about_answer(items.error()).message();
      EXPECT_THAT(shown,
                  AllOf(HasSubstr("it begins <--"), Not(HasSubstr("-t")), Not(HasSubstr("-T"))));
    }
  }
}

TEST_F(AskingTest, PostsItsBody) {
  TestServer server([](const auto&) { return response(200, "[]"); });
  auto spec = http(server.url("/api"));
  spec.method = spec::HttpMethod::kPost;
  spec.body = text("a=1");
  Api api(spec);
  ASSERT_TRUE(api.fetch());
  EXPECT_THAT(server.requests()[0],
              AllOf(HasSubstr("POST /api HTTP"), HasSubstr("Content-Length: 3\r\n"),
                    HasSubstr("Content-Type: application/x-www-form-urlencoded\r\n"),
                    Not(HasSubstr("Expect"))));
  spec.body_is_json = true;
  ASSERT_TRUE(Api(spec).fetch());
  EXPECT_THAT(server.requests().back(), HasSubstr("Content-Type: application/json\r\n"));
  spec.headers = {{"content-type", text("application/graphql")}};
  ASSERT_TRUE(Api(spec).fetch());
  EXPECT_THAT(server.requests().back(), AllOf(HasSubstr("content-type: application/graphql\r\n"),
                                              Not(HasSubstr("Content-Type"))));
}

}  // namespace
}  // namespace millrace::source
