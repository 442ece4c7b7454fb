#include "source/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "base/text.h"
#include "base/time.h"
#include "base/uuid.h"
#include "source/sample_names.h"

namespace millrace::source {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

std::string get(std::string_view query) {
  auto response = sample_response(fmt::format("sample://randomuser/api/?{}", query));
  EXPECT_TRUE(response) << response.error().message();
  return response.value_or("");
}

Json get_json(std::string_view query) {
  return Json::parse(get(query));
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

// One whole page, for what is true of every user.
const Json& many() {
  static const Json users = get_json("results=5000&seed=many")["results"];
  return users;
}

TEST(SampleTest, SameSeedAndPageSameBytes) {
  EXPECT_EQ(get("results=50&seed=a&page=3"), get("seed=a&page=3&results=50"));
  EXPECT_NE(get("results=1&seed=a&page=3"), get("results=1&seed=a&page=4"));
  EXPECT_NE(get("results=1&seed=a&page=3"), get("results=1&seed=b&page=3"));
  EXPECT_EQ(get("seed=a"), get("seed=a&page=1&results=1"));
}

// These bytes must be the same on every machine; change them only together with the name lists.
TEST(SampleTest, IsTheSameOnEveryMachine) {
  EXPECT_EQ(get("seed=mill&inc=name,dob,nat&results=2"),
            R"({"results":[{"name":{"title":"Miss","first":"Eleanor","last":"Doyle"},)"
            R"("dob":{"date":"1972-10-09T21:58:47.918Z","age":53},"nat":"AU"},)"
            R"({"name":{"title":"Mr","first":"Kåre","last":"Strand"},)"
            R"("dob":{"date":"1953-05-09T08:52:20.607Z","age":72},"nat":"NO"}],)"
            R"("info":{"seed":"mill","results":2,"page":1,"version":"1.4"}})");
}

TEST(SampleTest, WithoutASeedEveryResponseIsAnother) {
  auto first = get_json("results=1"), second = get_json("results=1");
  EXPECT_NE(first["info"]["seed"], second["info"]["seed"]);
  EXPECT_NE(first["results"], second["results"]);
  auto again = get_json(fmt::format("seed={}", first["info"]["seed"].get<std::string>()));
  EXPECT_EQ(first, again);
}

TEST(SampleTest, HasTheShapeOfTheRealApi) {
  auto response = get_json("results=3&seed=a&page=2");
  EXPECT_EQ(response["info"].dump(), R"({"seed":"a","results":3,"page":2,"version":"1.4"})");
  ASSERT_EQ(response["results"].size(), 3u);
  // One user as the real API writes it, its values blotted out.
  auto shape = Json::parse(R"({"gender":"","name":{"title":"","first":"","last":""},"location":{
      "street":{"number":0,"name":""},"city":"","state":"","country":"","postcode":0,
      "coordinates":{"latitude":"","longitude":""},"timezone":{"offset":"","description":""}},
      "email":"","login":{"uuid":"","username":"","password":"","salt":"","md5":"","sha1":"",
      "sha256":""},"dob":{"date":"","age":0},"registered":{"date":"","age":0},"phone":"","cell":"",
      "id":{"name":"","value":""},"picture":{"large":"","medium":"","thumbnail":""},"nat":""})");
  auto flat_types = [](const Json& user) {
    std::vector<std::string> types;
    auto flat = user.flatten();
    for (const auto& [path, value] : flat.items()) {
      bool may_vary = path == "/location/postcode" || path == "/id/value";
      types.push_back(path + " " + (may_vary ? "varies" : value.type_name()));
    }
    return types;
  };
  for (const auto& user : many()) {
    ASSERT_EQ(keys(user), keys(shape));
    ASSERT_EQ(flat_types(user), flat_types(shape)) << user;
  }
}

TEST(SampleTest, HasTheTrapsOfTheRealApi) {
  std::set<std::string> text_postcodes = {"CA", "GB", "NL", "NO"};
  std::set<std::string> no_ids = {"IR", "NZ", "TR", "UA"};
  std::set<std::string> seen;
  for (const auto& user : many()) {
    auto nat = user["nat"].get<std::string>();
    seen.insert(nat);
    EXPECT_EQ(user["location"]["postcode"].is_string(), text_postcodes.contains(nat)) << user;
    EXPECT_EQ(user["id"]["value"].is_null(), no_ids.contains(nat)) << user;
    EXPECT_EQ(user["id"]["name"].get<std::string>().empty(), no_ids.contains(nat)) << user;
  }
  EXPECT_EQ(seen.size(), nations().size());
  EXPECT_EQ(seen.size(), 21u);
}

TEST(SampleTest, WritesNamesInTheirScripts) {
  auto has = [](std::string_view nat, std::string_view letters) {
    auto names = get_json(fmt::format("results=200&seed=a&inc=name&nat={}", nat)).dump();
    return std::regex_search(names, std::regex(std::string(letters)));
  };
  EXPECT_TRUE(has("ua", "енко"));
  EXPECT_TRUE(has("rs", "вић"));
  EXPECT_TRUE(has("ir", "ی"));
  EXPECT_TRUE(has("tr", "ş|ğ|ı|İ"));
  EXPECT_TRUE(has("de", "ä|ö|ü|ß"));
  EXPECT_TRUE(has("in", "Srinivasan|Agarwal"));
}

TEST(SampleTest, UsersArePlausible) {
  std::regex email("[a-z]{2,}\\.[a-z]{2,}@example\\.com");
  std::regex username("[a-z]{6,}[0-9]{3}");
  std::regex degrees("-?[0-9]{1,3}\\.[0-9]{4}");
  std::regex uuid_v4("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::regex time("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z");
  auto matches = [](const Json& text, const std::regex& pattern) {
    return std::regex_match(text.get<std::string>(), pattern);
  };
  const auto now = *parse_timestamp("2026-01-01");
  for (const auto& user : many()) {
    ASSERT_TRUE(matches(user["email"], email)) << user;
    ASSERT_TRUE(matches(user["login"]["username"], username)) << user;
    ASSERT_TRUE(matches(user["login"]["uuid"], uuid_v4)) << user;
    ASSERT_EQ(user["login"]["sha256"].get<std::string>().size(), 64u);
    for (auto axis : {"latitude", "longitude"}) {
      ASSERT_TRUE(matches(user["location"]["coordinates"][axis], degrees)) << user;
    }
    for (auto which : {"dob", "registered"}) {
      ASSERT_TRUE(matches(user[which]["date"], time)) << user;
      auto then = parse_timestamp(user[which]["date"].get<std::string>());
      ASSERT_TRUE(then) << user;
      auto years = static_cast<double>(now - *then) / (365.2425 * 86'400e6);
      ASSERT_NEAR(user[which]["age"].get<double>() + 0.5, years, 0.51) << user;
    }
    ASSERT_LT(user["dob"]["date"], user["registered"]["date"]) << user;
    ASSERT_GE(user["dob"]["age"], 20) << user;
  }
}

TEST(SampleTest, UuidsAreDistinct) {
  std::set<std::string> uuids;
  for (const auto& user : many()) uuids.insert(user["login"]["uuid"].get<std::string>());
  auto next_page = get_json("results=5000&seed=many&page=2&inc=login");
  for (const auto& user : next_page["results"]) {
    uuids.insert(user["login"]["uuid"].get<std::string>());
  }
  EXPECT_EQ(uuids.size(), 10'000u);
}

TEST(SampleTest, IsUtf8) {
  EXPECT_TRUE(is_utf8(get("results=5000&seed=utf8")));
}

TEST(SampleTest, EscapesTheSeed) {
  EXPECT_EQ(get_json("seed=a%22b%5C%0A%C3%BC+c")["info"]["seed"], "a\"b\\\nü c");
}

TEST(SampleTest, FiltersByGenderAndNationality) {
  for (std::string gender : {"male", "female"}) {
    auto response = get_json("results=100&seed=a&nat=UA,ir&gender=" + gender);
    std::set<std::string> nats;
    for (const auto& user : response["results"]) {
      EXPECT_EQ(user["gender"], gender);
      nats.insert(user["nat"].get<std::string>());
    }
    EXPECT_EQ(nats, (std::set<std::string>{"IR", "UA"}));
  }
}

TEST(SampleTest, ChoosesFieldsWithoutChangingUsers) {
  auto whole = get_json("seed=a&results=5")["results"];
  auto some = get_json("seed=a&results=5&inc=nat,login,NAME")["results"];
  auto rest = get_json("seed=a&results=5&exc=login,name,nat")["results"];
  auto both = get_json("seed=a&results=5&exc=nat&inc=nat,email")["results"];
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(keys(some[i]), (std::vector<std::string>{"name", "login", "nat"}));
    EXPECT_EQ(keys(both[i]), (std::vector<std::string>{"email"}));
    EXPECT_EQ(rest[i].size(), 9u);
    for (const auto& [name, value] : some[i].items()) EXPECT_EQ(value, whole[i][name]);
    for (const auto& [name, value] : rest[i].items()) EXPECT_EQ(value, whole[i][name]);
  }
}

TEST(SampleTest, LeavesOutInfo) {
  EXPECT_EQ(keys(get_json("noinfo")), (std::vector<std::string>{"results"}));
}

TEST(SampleTest, TakesTheParametersRange) {
  EXPECT_EQ(get_json("results=5000&inc=nat")["results"].size(), 5'000u);
  EXPECT_EQ(get_json("page=9223372036854775807")["info"]["page"], INT64_MAX);
  EXPECT_EQ(get_json("format=JSON&unknown=1&results=1")["results"].size(), 1u);
  for (std::string_view url :
       {"sample://randomuser", "sample://randomuser/api", "sample://randomuser/api/1.4/?results=1",
        "sample://randomuser?results=2"}) {
    EXPECT_TRUE(sample_response(url)) << url;
  }
}

TEST(SampleTest, RefusesWhatItCannotAnswer) {
  auto code_of = [](std::string_view url) {
    auto response = sample_response(url);
    EXPECT_FALSE(response) << url;
    return response ? ErrorCode::kIo : response.error().code();
  };
  for (std::string_view query :
       {"results=0", "results=5001", "results=-1", "results=many", "results=", "results=1x",
        "page=0", "page=1.5", "page=9223372036854775808", "gender=x", "nat=us,xx", "inc=nme",
        "exc=x", "seed=%FF"}) {
    EXPECT_EQ(code_of(fmt::format("sample://randomuser/api/?{}", query)), ErrorCode::kInvalid)
        << query;
  }
  EXPECT_EQ(code_of("sample://randomuser/api/?format=xml"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("sample://randomuser/api/1.3/"), ErrorCode::kUnsupported);
  EXPECT_EQ(code_of("sample://randomuser/other"), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("sample://other/api"), ErrorCode::kNotFound);
  EXPECT_EQ(code_of("http://randomuser/api"), ErrorCode::kInvalid);
  auto error = sample_response("sample://randomuser/api/?inc=emial").error();
  EXPECT_THAT(error.message(), HasSubstr("did you mean 'email'?"));
}

TEST(SampleTest, AnErrorLeavesTheTextAsItWas) {
  std::string text = "kept";
  EXPECT_FALSE(append_sample_response("sample://randomuser/api/?results=0", text));
  EXPECT_EQ(text, "kept");
  EXPECT_TRUE(append_sample_response("sample://randomuser/api/", text));
  EXPECT_TRUE(text.starts_with(R"(kept{"results":[)"));
}

}  // namespace
}  // namespace millrace::source
