#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "spec/spec.h"
#include "spec/test_variables.h"

namespace millrace::spec {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;

class HttpSpecTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("millrace_http_spec_test_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    write("item.schema.json", R"({"type":"object","properties":{"id":{"type":"integer"}}})");
    write("some.pem", "-----BEGIN CERTIFICATE-----\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  // What `http:` with these lines in it says.
  HttpSpec http(const std::string& keys) {
    auto loaded = load_http(keys);
    for (const auto& problem : loaded.problems)
      ADD_FAILURE() << to_string(problem.place) << ": " << problem.message;
    return loaded.pipeline.sources.at(0).http;
  }
  // The one problem that they have.
  std::string problem(const std::string& keys) {
    auto problems = load_http(keys).problems;
    return problems.size() == 1 ? problems[0].message : fmt::format("{}", problems.size());
  }

 private:
  Loaded load_http(const std::string& keys) {
    std::string text = "name: x\nsources:\n  a:\n    http:\n      url: https://x/y\n";
    for (size_t at = 0; at < keys.size(); at = keys.find('\n', at) + 1)
      text += "      " + keys.substr(at, keys.find('\n', at) + 1 - at);
    text += "    schema: item.schema.json\n    to: t\n    select: SELECT id\ntopics: {t: {}}\n";
    write("a.yaml", text);
    auto loaded = load((folder_ / "a.yaml").string(), test_variables());
    if (!loaded) return (ADD_FAILURE() << loaded.error().message(), Loaded());
    return *std::move(loaded);
  }

 protected:
  std::filesystem::path folder_;
};

TEST_F(HttpSpecTest, EveryKeyIsStored) {
  auto spec = http(R"(method: POST
body: a=${secret:TOKEN}
auth: {bearer: "${secret:TOKEN}"}
tls: {ca: some.pem, certificate: some.pem, key: some.pem, key_password: "${secret:TOKEN}"}
connect_timeout: 3s
response_max: 64MiB
)");
  EXPECT_EQ(spec.method, HttpMethod::kPost);
  ASSERT_GT(spec.body.place.line, 0);
  EXPECT_EQ(spec.body.value, "a=hush-hush");
  EXPECT_EQ(spec.body.shown, "a=***");
  EXPECT_THAT(spec.body.secrets, ElementsAre(Secret{"TOKEN", "hush-hush"}));
  EXPECT_FALSE(spec.body_is_json);
  ASSERT_TRUE(spec.auth);
  EXPECT_EQ(spec.auth->bearer.value, "hush-hush");
  EXPECT_FALSE(spec.auth->basic);
  EXPECT_EQ(spec.tls.ca, (folder_ / "some.pem").string());
  EXPECT_THAT(spec.tls.certificate, EndsWith("/some.pem"));
  EXPECT_THAT(spec.tls.key, EndsWith("/some.pem"));
  EXPECT_EQ(spec.tls.key_password.value, "hush-hush");
  EXPECT_EQ(spec.connect_timeout, 3s);
  EXPECT_EQ(spec.response_max, 64 << 20);
}

TEST_F(HttpSpecTest, UserAndPassword) {
  auto spec = http("auth: {basic: {user: \"${env:SET}\", password: \"\"}}\n");
  ASSERT_TRUE(spec.auth && spec.auth->basic);
  EXPECT_EQ(spec.auth->basic->user.value, "set");
  EXPECT_EQ(spec.auth->basic->password.value, "");
}

TEST_F(HttpSpecTest, AMapBecomesJson) {
  auto spec = http(R"(method: POST
body:
  query: |
    { users { id } }
  size: ${env:UNSET:-100}
  quoted: "100"
  on: [true, ~, -1.5e3, 18446744073709551615, é", yes, True, NULL]
  none:
  key: ${secret:TOKEN}
  ratio: 0.5
)");
  ASSERT_GT(spec.body.place.line, 0);
  EXPECT_TRUE(spec.body_is_json);
  EXPECT_EQ(spec.body.value,
            R"({"query":"{ users { id } }\n","size":100,"quoted":"100",)"
            R"("on":[true,null,-1500.0,18446744073709551615,"é\"","yes",true,null],)"
            R"("none":null,"key":"hush-hush",)"
            R"("ratio":0.5})");
  EXPECT_THAT(spec.body.shown, testing::HasSubstr(R"("key":"***")"));
  EXPECT_THAT(spec.body.secrets, ElementsAre(Secret{"TOKEN", "hush-hush"}));
}

TEST_F(HttpSpecTest, ATextThatReadsAsJsonIsJson) {
  EXPECT_TRUE(http("method: POST\nbody: '{\"a\": 1}'\n").body_is_json);
  EXPECT_FALSE(http("method: POST\nbody: <a/>\n").body_is_json);
}

TEST_F(HttpSpecTest, ABodyThatIsNotClearIsAProblem) {
  auto of = [&](std::string value) { return problem("method: POST\nbody: {n: " + value + "}\n"); };
  for (std::string number : {"01", "+1", "0x1F", "0o17", ".5", "1.", ".inf", "-.INF", ".nan"})
    EXPECT_EQ(of(number), "is " + number + " a number or text? Write \"" + number +
                              "\" for the text, or the number as JSON has it");
  for (std::string number : {"99999999999999999999", "-9223372036854775809", "1e400"})
    EXPECT_EQ(of(number), number +
                              " has more than 64 bits: write the whole body as text, which is "
                              "sent as it is");
}

TEST_F(HttpSpecTest, ABodyWithoutEndIsAProblem) {
  EXPECT_EQ(problem("method: POST\nbody: &a {x: *a}\n"),
            "this body goes on without an end: more than 64 levels");
  EXPECT_EQ(problem("method: POST\nbody: &a [*a, *a]\n"),
            "this body goes on without an end: more than 64 levels");
  std::string twice = "method: POST\nbody:\n  a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) twice += fmt::format("  a{0}: &a{0} [*a{1}, *a{1}]\n", i, i - 1);
  EXPECT_EQ(problem(twice), "this body goes on without an end: more than 1048576 bytes");
}

TEST_F(HttpSpecTest, ParametersInABodyNeedOne) {
  constexpr const char* kNeeded =
      "'in: body' needs 'method: POST' and a 'body' that is a JSON object";
  EXPECT_EQ(problem("method: POST\npage: {in: body}\n"), kNeeded);
  EXPECT_EQ(problem("method: POST\nbody: a=1\npage: {in: body}\n"), kNeeded);
  EXPECT_EQ(problem("method: POST\nbody: [1]\nsince: {column: id, parameter: p, in: body}\n"),
            kNeeded);
  EXPECT_TRUE(http("method: POST\nbody: {}\npage: {in: body}\n").page);
}

}  // namespace
}  // namespace millrace::spec
