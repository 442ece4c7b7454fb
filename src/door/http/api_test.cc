#include "door/http/api.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "door/http/test_data_directory.h"

namespace millrace::http {
namespace {

using nlohmann::json;

class ApiTest : public DataDirectoryTest {
 protected:
  // The answer to a request that is to succeed.
  json get(const std::string& target) {
    auto response = api_->handle({"GET", target, "", {}});
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    return json::parse(response.body);
  }
  json sql(const std::string& text) {
    auto response = api_->handle({"POST", "/v1/sql", json{{"sql", text}}.dump(), {}});
    EXPECT_EQ(response.status, 200) << response.body;
    return json::parse(response.body);
  }
  // "STATUS CODE: MESSAGE" of one that is to fail.
  std::string error(const std::string& method, const std::string& target,
                    const std::string& body = "") {
    auto response = api_->handle({method, target, body, {}});
    auto error = json::parse(response.body).at("error");
    return fmt::format("{} {}: {}", response.status, error.at("code").get<std::string>(),
                       error.at("message").get<std::string>());
  }
};

TEST_F(ApiTest, StatusAccountsForEveryRecord) {
  auto status = get("/v1/status");
  EXPECT_EQ(status["data_dir"], data_dir_);
  auto table = status["tables"].at(0);
  EXPECT_EQ(table["name"], "shop.people");
  EXPECT_EQ(table["records_in"], kRecords);
  EXPECT_TRUE(table["balanced"]);
  EXPECT_GT(table["dead_letters"], 0);
  EXPECT_EQ(table["written"].get<int>() + table["dead_letters"].get<int>(), kRecords);
  EXPECT_EQ(status["sources"].at(0)["records"], kRecords);
}

TEST_F(ApiTest, VersionIsTheOneGiven) {
  EXPECT_EQ(get("/v1/version"), (json{{"version", "1.2.3"}}));
}

TEST_F(ApiTest, TopicsAreListedAndDescribed) {
  EXPECT_EQ(get("/v1/topics")["topics"].size(), 2U);
  auto topic = get("/v1/topics/people");
  EXPECT_EQ(topic["key"], "id");
  EXPECT_EQ(topic["columns"].at(0), (json{{"name", "id"}, {"type", "UUID"}}));
  EXPECT_EQ(topic["partitions"].size(), 3U);
}

TEST_F(ApiTest, RecordsFromTheStartAreReadPageByPageWithoutGapOrDouble) {
  auto page = get("/v1/topics/people/records?offset=0&limit=7");
  std::set<std::pair<int, int>> seen;
  while (!page["records"].empty()) {
    EXPECT_LE(page["records"].size(), 7U);
    for (const auto& record : page["records"]) {
      EXPECT_TRUE(record["value"].is_object());
      EXPECT_EQ(record["key"], record["value"]["id"]);
      EXPECT_TRUE(seen.emplace(record["partition"], record["offset"]).second);
    }
    std::string past;
    for (const auto& offset : page["next"]) past += "," + offset.dump();
    page = get("/v1/topics/people/records?limit=7&past=" + past.substr(1));
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kRecords));
}

TEST_F(ApiTest, RecordsWithoutABeginningAreTheLast) {
  auto page = get("/v1/topics/people/records?limit=4&partition=1");
  auto end = get("/v1/topics/people")["partitions"].at(1)["end_offset"].get<int64_t>();
  ASSERT_EQ(page["records"].size(), 4U);
  EXPECT_EQ(page["records"].back()["offset"], end - 1);
  EXPECT_EQ(page["next"].at(1), end);
}

TEST_F(ApiTest, RecordsFromATimeOn) {
  EXPECT_EQ(get("/v1/topics/people/records?time=2001-01-01&limit=3")["records"].size(), 3U);
  EXPECT_TRUE(get("/v1/topics/people/records?time=9998-01-01T00:00:00Z")["records"].empty());
}

TEST_F(ApiTest, WaitingEndsWithoutRecordsAfterItsTime) {
  auto end = get("/v1/topics/people/records?time=9998-01-01")["next"];
  auto past = fmt::format("{},{},{}", end[0].get<int>(), end[1].get<int>(), end[2].get<int>());
  auto target = "/v1/topics/people/records?wait_ms=1&past=" + past;
  EXPECT_TRUE(get(target)["records"].empty());
  EXPECT_EQ(Api::route_of("GET", target)->pace, Pace::kWaiting);
  EXPECT_EQ(Api::route_of("GET", "/v1/status")->pace, Pace::kPrompt);
}

TEST_F(ApiTest, SqlAnswersRowsWithTypes) {
  auto answer = sql("SELECT count(*) AS n, NULL AS nothing, 12345678901234567890.5 AS d");
  EXPECT_EQ(answer["columns"].at(0), (json{{"name", "n"}, {"type", "BIGINT"}}));
  EXPECT_EQ(answer["rows"].at(0).at(0), 1);
  EXPECT_TRUE(answer["rows"].at(0).at(1).is_null());
  EXPECT_FALSE(answer["truncated"]);
  auto tables = sql("SELECT (SELECT count(*) FROM shop.people), (SELECT count(*) FROM people)");
  EXPECT_EQ(tables["rows"].at(0).at(1), kRecords);
  EXPECT_LT(tables["rows"].at(0).at(0), kRecords);
}

TEST_F(ApiTest, SqlKeepsAllDigits) {
  auto response =
      api_->handle({"POST", "/v1/sql", R"({"sql": "SELECT 12345678901234567890.5 AS d"})", {}});
  EXPECT_NE(response.body.find("[[12345678901234567890.5]]"), std::string::npos) << response.body;
}

TEST_F(ApiTest, SqlThatIsTooLongIsCutAndSaysSo) {
  auto answer = sql("SELECT 1 FROM range(1000001)");
  EXPECT_TRUE(answer["truncated"]);
  EXPECT_EQ(answer["rows"].size(), 1'000'000U);
}

TEST_F(ApiTest, SqlErrorsAreTheCallers) {
  EXPECT_THAT(error("POST", "/v1/sql", R"({"sql": "SELEC 1"})"), testing::StartsWith("400 "));
  EXPECT_THAT(error("POST", "/v1/sql", "SELECT 1"), testing::HasSubstr("the body is to be"));
}

TEST_F(ApiTest, TapShowsWhatATableMakesOfRecords) {
  auto tapped = get("/v1/tap/shop.people?limit=30")["tapped"];
  ASSERT_EQ(tapped.size(), 30U);
  int refused = 0;
  for (const auto& each : tapped) {
    EXPECT_EQ(each["rows"].empty(), !each["failure"].is_null());
    refused += each["failure"].is_null() ? 0 : 1;
  }
  EXPECT_GT(refused, 0);
  EXPECT_EQ(get("/v1/tap/people_api?limit=2")["tapped"].size(), 2U);
  EXPECT_THAT(error("GET", "/v1/tap/shop.poeple"), testing::HasSubstr("did you mean"));
}

TEST_F(ApiTest, DeadLettersHaveAnAddressAndTheirRawRecord) {
  auto letters = get("/v1/dead-letters?node=shop.people&limit=2")["dead_letters"];
  ASSERT_EQ(letters.size(), 2U);
  auto letter = get("/v1/dead-letters/" + letters[0]["address"].get<std::string>());
  EXPECT_EQ(letter, letters[0]);
  EXPECT_EQ(letter["rule"], "is_woman");
  EXPECT_EQ(letter["from"]["topic"], "people");
  EXPECT_TRUE(json::parse(letter["raw"].get<std::string>()).is_object());
  EXPECT_THAT(error("GET", "/v1/dead-letters/shop.people/0/99999"), testing::StartsWith("404 "));
  EXPECT_THAT(error("GET", "/v1/dead-letters/x"), testing::StartsWith("400 "));
}

TEST_F(ApiTest, UnknownPathsNameTheNearest) {
  EXPECT_EQ(error("GET", "/v1/statu"),
            "404 not_found: there is nothing at /v1/statu; did you mean /v1/status?");
  EXPECT_THAT(error("GET", "/"), testing::HasSubstr("the paths are /v1/version"));
}

TEST_F(ApiTest, OtherMethodsAreToldWhichAreThere) {
  auto response = api_->handle({"DELETE", "/v1/sql", "", {}});
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.allow, "POST");
}

TEST_F(ApiTest, BadParametersAreNamed) {
  EXPECT_EQ(error("GET", "/v1/tap/people?limt=3"),
            "400 invalid: /v1/tap/{node} has no parameter 'limt'; did you mean 'limit'?");
  EXPECT_EQ(error("GET", "/v1/tap/people?limit=0"),
            "400 invalid: limit=0: give a whole number, from 1 to 10000");
  EXPECT_THAT(error("GET", "/v1/topics/people/records?time=noon"),
              testing::HasSubstr("time=noon: give a time like"));
  EXPECT_THAT(error("GET", "/v1/topics/people/records?past=1,2"),
              testing::HasSubstr("2 offsets where people has 3 partitions"));
  EXPECT_THAT(error("GET", "/v1/topics/people/records?partition=3"), testing::StartsWith("404 "));
  EXPECT_THAT(error("GET", "/v1/tap/%zz"), testing::HasSubstr("'%zz'"));
}

}  // namespace
}  // namespace millrace::http
