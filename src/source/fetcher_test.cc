#include "source/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <future>

#include "source/test_api.h"
#include "source/test_server.h"

namespace millrace::source {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

class FetcherTest : public testing::Test {
 protected:
  // A proxy that the machine may have is not for loopback.
  static void SetUpTestSuite() { ::setenv("no_proxy", "127.0.0.1", 1); }

  // The error of one fetch of what a server that always answers like this says.
  static Error error_of(std::string raw_response) {
    TestServer server([&](const auto&) { return raw_response; });
    Api api(http(server.url("/api")));
    auto body = api.fetch();
    EXPECT_FALSE(body.has_value());
    return body ? Error(ErrorCode::kInvalid, "none") : body.error();
  }
};

TEST_F(FetcherTest, ReturnsTheBodyWithPaddingBehindIt) {
  TestServer server([](const auto&) { return response(200, R"({"results":[]})"); });
  Api api(http(server.url("/api")));
  auto body = api.fetch();
  ASSERT_TRUE(body) << body.error().message();
  EXPECT_EQ(*body, R"({"results":[]})");
  for (size_t i = 0; i < kBodyPadding; ++i) EXPECT_EQ(body->data()[body->size() + i], '\0');
}

TEST_F(FetcherTest, ReturnsAnEmptyBody) {
  TestServer server([](const auto&) { return "HTTP/1.1 204 X\r\n\r\n"; });
  Api api(http(server.url("/api")));
  auto body = api.fetch();
  ASSERT_TRUE(body) << body.error().message();
  EXPECT_EQ(*body, "");
}

TEST_F(FetcherTest, KeepsTheConnectionOpen) {
  TestServer server([](const auto&) { return response(200, "[]"); });
  Api api(http(server.url("/api")));
  ASSERT_TRUE(api.fetch());
  ASSERT_TRUE(api.fetch());
  EXPECT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(FetcherTest, ReusesItsBufferForBodiesOfAnySize) {
  std::vector<size_t> sizes = {10, 8 << 20, 3};
  for (int i = 0; i < 60; ++i) sizes.push_back(100);
  std::atomic<size_t> next = 0;
  TestServer server([&](const auto&) { return response(200, std::string(sizes[next++], 'x')); });
  Api api(http(server.url("/api")));
  for (auto size : sizes) {
    auto body = api.fetch();
    ASSERT_TRUE(body) << body.error().message();
    ASSERT_EQ(*body, std::string(size, 'x'));
  }
}

TEST_F(FetcherTest, SendsItsOwnAndTheConfiguredHeaders) {
  TestServer server([](const auto&) { return response(200, "[]"); });
  auto spec = http(server.url("/api"));
  spec.headers = {{"X-Team", text("mills")}, {"X-Empty", text("")}};
  Api api(spec);
  ASSERT_TRUE(api.fetch());
  EXPECT_THAT(
      server.requests()[0],
      AllOf(HasSubstr("GET /api HTTP/1.1\r\n"), HasSubstr("User-Agent: millrace/"),
            HasSubstr("Accept: application/json, */*;q=0.1\r\n"), HasSubstr("Accept-Encoding: "),
            HasSubstr("X-Team: mills\r\n"), HasSubstr("X-Empty:\r\n")));
}

TEST_F(FetcherTest, ConfiguredHeadersReplaceItsOwn) {
  TestServer server([](const auto&) { return response(200, "[]"); });
  auto spec = http(server.url("/api"));
  spec.headers = {{"accept", text("text/x")}, {"user-agent", text("other/1")}};
  Api api(spec);
  ASSERT_TRUE(api.fetch());
  EXPECT_THAT(server.requests()[0],
              AllOf(HasSubstr("accept: text/x\r\n"), HasSubstr("user-agent: other/1\r\n"),
                    Not(HasSubstr("application/json")), Not(HasSubstr("millrace"))));
}

TEST_F(FetcherTest, RefusesHeadersThatWouldBeginAnother) {
  auto spec = http("http://127.0.0.1/");
  spec.headers = {{"X-A", text("1\r\nX-B: 2")}};
  Api api(spec);
  auto body = api.fetch();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(body.error().message(), HasSubstr("'X-A' cannot be a header"));
}

TEST_F(FetcherTest, SetsThePageParameter) {
  TestServer server([](const auto&) { return response(200, "[]"); });
  auto first_line = [&](std::string path, std::string parameter, int64_t page) {
    auto spec = http(server.url(path));
    spec.page = spec::PageSpec{.parameter = std::move(parameter)};
    Api api(spec);
    EXPECT_TRUE(api.fetch(page));
    auto request = server.requests().back();
    return request.substr(0, request.find(" HTTP"));
  };
  EXPECT_EQ(first_line("/api", "page", 1), "GET /api?page=1");
  EXPECT_EQ(first_line("/api/?results=5&x", "page", 12), "GET /api/?results=5&x&page=12");
  EXPECT_EQ(first_line("/api/?page=7&b=%20c", "page", 2), "GET /api/?page=2&b=%20c");
  EXPECT_EQ(first_line("/api/?page=7&a=1&page=8", "page", 2), "GET /api/?page=2&a=1");
  EXPECT_EQ(first_line("/api/?p%61ge=7&homepage=8", "page", 3), "GET /api/?page=3&homepage=8");
  EXPECT_EQ(first_line("/api/?a=1#part", "page[number]", 3), "GET /api/?a=1&page%5bnumber%5d=3");
}

TEST_F(FetcherTest, SaysWhichStatusesAreWorthTryingAgain) {
  for (int status : {408, 429, 500, 502, 503, 504}) {
    EXPECT_EQ(error_of(response(status, "later")).code(), ErrorCode::kUnavailable) << status;
  }
  for (int status : {300, 304, 400, 401, 403, 404, 410, 422}) {
    auto empty = status == 304;
    EXPECT_EQ(error_of(response(status, empty ? "" : "no")).code(), ErrorCode::kInvalid) << status;
  }
}

TEST_F(FetcherTest, ErrorsHaveUrlStatusAndTheBeginningOfTheBody) {
  auto error = error_of(response(404, "no such thing\n" + std::string(100'000, 'x')));
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("cannot fetch http://127.0.0.1:"), HasSubstr("/api"),
                    HasSubstr("404 with 'no such thing x"), HasSubstr("check the source's url")));
  EXPECT_LT(error.message().size(), 500u);
}

TEST_F(FetcherTest, EveryStatusThatIsNoSuccessSaysWhatToDo) {
  const std::pair<int, const char*> kAdvice[] = {
      {302, "; it does not say where to ask instead: check the source's url"},
      {304, "; it was not asked whether anything is new: check the source's headers"},
      {401, "; check the source's auth or headers"},
      {402, "; it asks for a payment or a larger plan"},
      {403, "; check the source's auth or headers"},
      {405, "; check the source's method"},
      {406, "; check `Accept` of the source's headers"},
      {409, "; check the source's url, headers and body"},
      {410, "; check the source's url"},
      {413, "; check the source's body"},
      {414, "; check the source's url"},
      {415, "; check `Content-Type` of the source's headers, and its body"},
      {418, "; check the source's url, headers and body"},
      {502, "; will be tried again"},
  };
  for (const auto& [status, advice] : kAdvice)
    EXPECT_THAT(error_of(response(status, "")).message(),
                EndsWith(fmt::format("the server answered {}{}", status, advice)));
}

TEST_F(FetcherTest, WhatToDoAboutBeingRefusedMaySayItsCaller) {
  TestServer server([](const auto&) { return response(401, ""); });
  Fetcher fetcher(http(server.url("/api")), spec::Format::kByType, "knock twice");
  auto body = fetcher.fetch(*request_for(http(server.url("/api")), {}), {});
  ASSERT_FALSE(body);
  EXPECT_THAT(body.error().message(), EndsWith("answered 401; knock twice"));
}

TEST_F(FetcherTest, TellsRetryAfterOfTheLastAnswer) {
  std::atomic<int> requests = 0;
  TestServer server([&](const auto&) {
    return ++requests == 1 ? response(429, R"({"error":"slow down"})", "Retry-After: 17\r\n")
                           : response(500, "");
  });
  Api api(http(server.url("/api")));
  auto body = api.fetch();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(body.error().message(), HasSubstr("slow down"));
  EXPECT_EQ(api.fetcher.retry_after(), seconds(17));
  ASSERT_FALSE(api.fetch());
  EXPECT_EQ(api.fetcher.retry_after(), std::nullopt);
}

TEST_F(FetcherTest, FollowsRedirects) {
  TestServer server([](const std::string& request) {
    return request.starts_with("GET /old ") ? response(302, "moved", "Location: /new?a=b\r\n")
                                            : response(200, "[1]");
  });
  Api api(http(server.url("/old")));
  auto body = api.fetch();
  ASSERT_TRUE(body) << body.error().message();
  EXPECT_EQ(*body, "[1]");
  EXPECT_THAT(server.requests().back(), HasSubstr("GET /new?a=b HTTP"));
}

TEST_F(FetcherTest, TellsWhatTheAnswerSaidOfItself) {
  TestServer server([](const std::string& request) {
    if (request.starts_with("GET /old ")) return response(302, "", "Location: /api\r\nETag: o\r\n");
    return response(200, "[]",
                    "Content-Type: application/json; charset=utf-8\r\nETag: W/\"1\"\r\n"
                    "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                    "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n"
                    "Link: </api?page=2>; rel=\"next\"\r\nLink: </api>; rel=\"first\"\r\n");
  });
  Api api(http(server.url("/old")));
  auto answer = api.ask();
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status, 200);
  EXPECT_FALSE(answer->not_modified);
  EXPECT_EQ(answer->content_type, "application/json; charset=utf-8");
  EXPECT_EQ(answer->etag, "W/\"1\"");
  EXPECT_EQ(answer->last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_THAT(answer->links, ElementsAre("</api?page=2>; rel=\"next\"", "</api>; rel=\"first\""));
  EXPECT_EQ(answer->url, server.url("/api"));
}

TEST_F(FetcherTest, AnAnswerMayChangeAgainWithinTheSecondInWhichItChanged) {
  std::string date;
  TestServer server([&](const auto&) {
    return response(200, "[]", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n" + date);
  });
  Api api(http(server.url("/api")));
  for (const char* sent : {"", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
                           "Date: Sun, 06 Nov 1994 08:49:30 GMT\r\n", "Date: soon\r\n"}) {
    date = sent;
    EXPECT_EQ(api.ask()->last_modified, "") << sent;
  }
}

TEST_F(FetcherTest, AsksForWhatTheSourceTakes) {
  TestServer server([&](const auto&) { return response(200, "a,b"); });
  auto spec = http(server.url("/api"));
  for (auto format : {spec::Format::kByType, spec::Format::kCsv, spec::Format::kJsonLines}) {
    Fetcher fetcher(spec, format);
    ASSERT_TRUE(fetcher.fetch(request_for(spec, {}).value(), {}));
  }
  auto requests = server.requests();
  EXPECT_THAT(requests[0], HasSubstr("Accept: application/json, */*;q=0.1\r\n"));
  EXPECT_THAT(requests[1], HasSubstr("Accept: text/csv, */*;q=0.1\r\n"));
  EXPECT_THAT(requests[2], HasSubstr("Accept: application/x-ndjson, application/jsonl, */*;q="));
}

TEST_F(FetcherTest, APageThatIsLookedForMayBeAbsent) {
  int status = 404;
  TestServer server([&](const auto&) {
    return response(status, "<h1>No such page", "Content-Type: text/html\r\n");
  });
  Api api(http(server.url("/api")));
  auto request = request_for(api.spec, {.look = Look::kAhead}).value();
  for (int absent : {400, 404, 410, 416, 422}) {
    status = absent;
    auto answer = api.fetcher.fetch(request, {});
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_TRUE(answer->has_no_items);
    EXPECT_EQ(answer->body, "");
  }
  status = 403;
  EXPECT_FALSE(api.fetcher.fetch(request, {}));
  status = 404;
  EXPECT_FALSE(api.ask());
}

TEST_F(FetcherTest, AsksForNewsOnly) {
  TestServer server([](const auto&) { return "HTTP/1.1 304 X\r\n\r\n"; });
  Api api(http(server.url("/api")));
  auto request = request_for(api.spec, {}).value();
  request.etag = "\"1\"";
  request.last_modified = "Sun, 06 Nov 1994 08:49:37 GMT";
  auto answer = api.fetcher.fetch(request, {});
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_TRUE(answer->not_modified);
  EXPECT_EQ(answer->body, "");
  EXPECT_THAT(server.requests()[0],
              AllOf(HasSubstr("If-None-Match: \"1\"\r\n"),
                    HasSubstr("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n")));
}

TEST_F(FetcherTest, GivesUpOnARedirectLoop) {
  TestServer server([](const auto&) { return response(301, "", "Location: /api\r\n"); });
  Api api(http(server.url("/api")));
  auto body = api.fetch();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(body.error().message(), HasSubstr("more than 10 redirects: → " + server.url("/api")));
  EXPECT_EQ(server.requests().size(), 11u);
}

TEST_F(FetcherTest, FollowsNoRedirectToAnotherScheme) {
  for (std::string to : {"file:///etc/passwd", "ftp://127.0.0.1/", "sample://randomuser/api/"}) {
    auto error = error_of(response(302, "", "Location: " + to + "\r\n"));
    EXPECT_EQ(error.code(), ErrorCode::kInvalid) << to;
    EXPECT_THAT(error.message(), AllOf(HasSubstr("redirects to a URL of scheme"),
                                       EndsWith("check the source's url")));
  }
}

TEST_F(FetcherTest, RefusesABodyBeyondItsLimit) {
  std::atomic<size_t> size = 1'000;
  std::atomic<bool> tell_length = true;
  TestServer server([&](const auto&) {
    std::string body(size, 'x');
    if (tell_length) return response(200, body);
    return fmt::format(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n", body.size(),
        body);
  });
  auto spec = http(server.url("/api"));
  spec.response_max = 1'000;
  Api api(spec);
  for (bool told : {true, false}) {
    tell_length = told;
    size = 1'000;
    auto fits = api.fetch();
    ASSERT_TRUE(fits) << fits.error().message();
    EXPECT_EQ(fits->size(), 1'000u);
    size = 1'001;
    auto body = api.fetch();
    ASSERT_FALSE(body);
    EXPECT_EQ(body.error().code(), ErrorCode::kLimit);
    EXPECT_THAT(body.error().message(), HasSubstr("longer than 1000B"));
  }
}

TEST_F(FetcherTest, SaysThatNobodyListens) {
  Api api(http(fmt::format("http://127.0.0.1:{}/", closed_port())));
  auto body = api.fetch();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(body.error().message(), HasSubstr("onnect"));
}

TEST_F(FetcherTest, SaysThatAnAnswerIsCutShort) {
  TestServer server([](const auto&) { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n["; });
  auto spec = http(server.url("/api"));
  spec.timeout = milliseconds(100);
  Api api(spec);
  auto body = api.fetch();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kUnavailable);
}

TEST_F(FetcherTest, TimesOut) {
  TestServer server([](const auto&) { return ""; });
  auto spec = http(server.url("/api"));
  spec.timeout = milliseconds(50);
  Api api(spec);
  auto body = api.fetch();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(body.error().message(), HasSubstr("no whole answer within 50ms"));
}

TEST_F(FetcherTest, AStopRequestEndsARequestThatHangs) {
  std::promise<void> asked;
  TestServer server([&](const auto&) {
    asked.set_value();
    return "";
  });
  Api api(http(server.url("/api")));
  std::stop_source stop;
  steady_clock::time_point stopped_at;
  std::thread stopper([&] {
    asked.get_future().wait();
    stopped_at = steady_clock::now();
    stop.request_stop();
  });
  auto body = api.fetch(0, stop.get_token());
  auto returned_at = steady_clock::now();
  stopper.join();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kCancelled);
  EXPECT_LT(returned_at - stopped_at, milliseconds(500));  // of 10 s, on a machine that is busy
}

TEST_F(FetcherTest, AsksNothingOnceStopped) {
  TestServer server([](const auto&) { return response(200, "[]"); });
  Api api(http(server.url("/api")));
  std::stop_source stop;
  stop.request_stop();
  auto body = api.fetch(0, stop.get_token());
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(FetcherTest, GoesOnAfterErrors) {
  std::atomic<int> requests = 0;
  TestServer server(
      [&](const auto&) { return ++requests == 1 ? std::string() : response(200, "[3]"); });
  auto spec = http(server.url("/api"));
  spec.timeout = milliseconds(100);
  Api api(spec);
  ASSERT_FALSE(api.fetch());
  auto body = api.fetch();
  // The first request's silence may have cost its connection, not the source.
  ASSERT_TRUE(body) << body.error().message();
  EXPECT_EQ(*body, "[3]");
}

TEST_F(FetcherTest, AForbiddenRequestThatMayComeLaterIsWorthTryingAgain) {
  auto error = error_of(response(403, "slow down", "Retry-After: 7\r\n"));
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
}

TEST_F(FetcherTest, SaysThatAPageIsNoData) {
  auto error = error_of(response(200, " <!doctype html>", "Content-Type: text/html\r\n"));
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("answered text/html, which is no data"));
  // Scripts that forget to name their type name this one.
  TestServer server(
      [](const auto&) { return response(200, "[1]", "Content-Type: text/html\r\n"); });
  EXPECT_TRUE(Api(http(server.url("/api"))).fetch());
}

TEST_F(FetcherTest, RefusesEndlessHeaders) {
  auto error = error_of(response(200, "[]",
                                 "X-A: " + std::string(90'000, 'a') +
                                     "\r\nX-B: " + std::string(90'000, 'b') +
                                     "\r\nX-C: " + std::string(90'000, 'c') + "\r\n"));
  EXPECT_EQ(error.code(), ErrorCode::kLimit);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("headers are longer"), EndsWith("check the source's url")));
}

TEST_F(FetcherTest, RefusesUrlsThatItCannotFetch) {
  for (std::string url : {"ftp://127.0.0.1/", "file:///etc/passwd", "http://", "no url", ""}) {
    Api api(http(url));
    auto body = api.fetch();
    ASSERT_FALSE(body) << url;
    EXPECT_EQ(body.error().code(), ErrorCode::kInvalid) << url;
  }
}

TEST_F(FetcherTest, FetchesSamplesByTheSameDoor) {
  auto spec = http("sample://randomuser/api/?results=2&seed=a&page=9");
  spec.page = spec::PageSpec{};
  Api api(spec);
  for (int64_t page : {1, 2}) {
    auto body = api.fetch(page);
    ASSERT_TRUE(body) << body.error().message();
    EXPECT_EQ(*body, sample_response(
                         fmt::format("sample://randomuser/api/?results=2&seed=a&page={}", page))
                         .value());
    EXPECT_EQ(body->data()[body->size() + kBodyPadding - 1], '\0');
  }
  Api wrong(http("sample://nobody/api/"));
  auto body = wrong.fetch();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace millrace::source
