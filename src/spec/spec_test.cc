#include "spec/spec.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "spec/test_variables.h"

namespace millrace::spec {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kSource = MILLRACE_SOURCE_DIR;

// Loads a pipeline file of this text; the schema files of testdata/ are beside it.
class SpecTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "spec_test_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
    std::filesystem::copy_file(kSource + "/src/spec/testdata/item.schema.json",
                               folder_ + "/item.schema.json",
                               std::filesystem::copy_options::overwrite_existing);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Loaded load_text(const std::string& text) {
    std::string path = folder_ + "/pipeline.yaml";
    std::ofstream(path, std::ios::binary) << text;
    auto loaded = load(path, test_variables());
    EXPECT_TRUE(loaded) << loaded.error().message();
    for (const auto& problem : loaded->problems)
      ADD_FAILURE() << to_string(problem.place) << ": " << problem.message;
    return *std::move(loaded);
  }

  // A file with one table whose `from` is written as given, beginning in line 6 after "    from: ".
  Sql load_sql(const std::string& written) {
    auto loaded = load_text(
        "name: sql\ntopics: {items: {schema: item.schema.json}}\ntables:\n"
        "  app.items:\n    primary_key: id\n    from: " +
        written + "\n");
    return loaded.pipeline.tables.at(0).from;
  }

  std::string folder_;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return (std::stringstream() << file.rdbuf()).str();
}

// "7:5" of the first occurrence of `word`.
std::string place_of(const Sql& sql, std::string_view word) {
  auto place = sql.at(sql.text.find(word));
  return fmt::format("{}:{}", place.line, place.column);
}

TEST_F(SpecTest, ATopicsRetentionIsATimeASizeOrBoth) {
  auto loaded = load_text(
      "name: retention\ntopics:\n"
      "  a: {retention: 7d, schema: item.schema.json}\n"
      "  b: {retention: 10GiB, schema: item.schema.json}\n"
      "  c: {retention: {time: 36h, bytes: 1GB}, schema: item.schema.json}\n"
      "  d: {schema: item.schema.json}\n"
      "tables: {app.a: {primary_key: id, from: SELECT * FROM a}}\n");
  const auto& topics = loaded.pipeline.topics;
  EXPECT_EQ(topics.at(0).retention.time, 168h);
  EXPECT_EQ(topics.at(0).retention.bytes, std::nullopt);
  EXPECT_EQ(topics.at(1).retention.time, std::nullopt);
  EXPECT_EQ(topics.at(1).retention.bytes, int64_t{10} << 30);
  EXPECT_EQ(topics.at(2).retention.time, 36h);
  EXPECT_EQ(topics.at(2).retention.bytes, 1'000'000'000);
  EXPECT_FALSE(topics.at(3).retention.time || topics.at(3).retention.bytes);
}

TEST_F(SpecTest, TheExampleOfUsersLoads) {
  auto loaded = load(kSource + "/examples/users/users.yaml", test_variables());
  ASSERT_TRUE(loaded) << loaded.error().message();
  for (const auto& problem : loaded->problems)
    ADD_FAILURE() << to_string(problem.place) << ": " << problem.message;
  const auto& pipeline = loaded->pipeline;
  EXPECT_EQ(pipeline.name, "user_automation");
  const auto& source = pipeline.sources.at(0);
  EXPECT_EQ(source.name, "random_users");
  EXPECT_EQ(source.http.url.value, "sample://randomuser/api/?results=100");
  EXPECT_EQ(source.http.every, 1s);
  EXPECT_EQ(source.http.timeout, 10s);
  EXPECT_EQ(source.run_for, 60s);
  EXPECT_FALSE(source.http.page);
  EXPECT_THAT(source.items, ElementsAre("results"));
  EXPECT_EQ(source.columns.size(), 12u);
  EXPECT_EQ(source.to, "users_created");
  EXPECT_EQ(read_file(pipeline.file).find("to: users_created"),
            read_file(pipeline.file).find("to: "));
  ASSERT_NE(pipeline.find_topic("users_created"), nullptr);
  EXPECT_THAT(pipeline.find_topic("users_created")->key, ElementsAre("id"));
  EXPECT_EQ(pipeline.find_topic("users"), nullptr);
  const auto& table = pipeline.tables.at(0);
  EXPECT_EQ(table.full_name(), "spark_streams.created_users");
  EXPECT_THAT(table.partition_key, ElementsAre("id"));
  EXPECT_THAT(table.clustering_key, ElementsAre());
  EXPECT_EQ(table.from.text, "SELECT * FROM users_created");
  EXPECT_EQ(table.expect.at(0).name, "has_email");
  EXPECT_EQ(table.expect.at(0).condition.text, "email LIKE '%_@_%'");
}

TEST_F(SpecTest, EveryKeyIsStored) {
  auto loaded = load_text(R"(name: all-keys
sources:
  b:
    http:
      url: http://${env:HOST}/?key=${secret:TOKEN}
      headers: {Accept: application/json, Authorization: "Bearer ${secret:TOKEN}"}
      every: 0s
      timeout: 1500ms
      page: {parameter: p, first: 0}
    for: 2h
    format: json
    items: data.users
    schema: item.schema.json
    to: t.1-a
    select: SELECT id FROM b
  a:
    http: {url: "https://x", page: {by: cursor, from: meta.next}}
    items: [dotted.key, b]
    schema: item.schema.json
    to: second
    select: SELECT id FROM a
topics:
  t.1-a: {key: [id, text], partitions: 1024, schema: item.schema.json}
  second:
    partitions: "3"
tables:
  App.Items: {primary_key: [[a, b], c, d], from: SELECT 1}
  app.other: {primary_key: [a, b], from: SELECT 1, expect: {z: a > 0, y: b > 0}, ttl: c}
)");
  const auto& b = loaded.pipeline.sources.at(0);
  EXPECT_EQ(b.http.url.value, fmt::format("http://example.com/?key={}", kSecret));
  EXPECT_EQ(b.http.url.shown, "http://example.com/?key=***");
  ASSERT_EQ(b.http.headers.size(), 2u);
  EXPECT_EQ(b.http.headers[1].first, "Authorization");
  EXPECT_EQ(b.http.headers[1].second.shown, "Bearer ***");
  EXPECT_EQ(b.http.every, 0s);
  EXPECT_EQ(b.http.timeout, 1500ms);
  ASSERT_TRUE(b.http.page);
  EXPECT_EQ(b.http.page->parameter, "p");
  EXPECT_EQ(b.http.page->first, 0);
  EXPECT_EQ(b.format, Format::kJson);
  EXPECT_EQ(b.run_for, 2h);
  EXPECT_THAT(b.items, ElementsAre("data", "users"));
  EXPECT_EQ(b.schema_file, "item.schema.json");
  EXPECT_EQ(b.columns.at(1).name, "text");
  EXPECT_EQ(fmt::format("{}:{}", b.to_place.line, b.to_place.column), "14:9");
  const auto& a = loaded.pipeline.sources.at(1);
  ASSERT_TRUE(a.http.page);
  EXPECT_EQ(a.http.page->parameter, "");
  EXPECT_THAT(a.http.page->from, ElementsAre("meta", "next"));
  EXPECT_THAT(a.items, ElementsAre("dotted.key", "b"));
  const auto& topics = loaded.pipeline.topics;
  EXPECT_EQ(topics.at(0).name, "t.1-a");
  EXPECT_THAT(topics.at(0).key, ElementsAre("id", "text"));
  EXPECT_EQ(topics.at(0).partitions, 1024);
  EXPECT_EQ(topics.at(0).columns.size(), 2u);
  EXPECT_EQ(topics.at(1).partitions, 3);
  EXPECT_THAT(topics.at(1).key, IsEmpty());
  const auto& tables = loaded.pipeline.tables;
  EXPECT_EQ(tables.at(0).keyspace, "App");
  EXPECT_EQ(tables.at(0).name, "Items");
  EXPECT_THAT(tables.at(0).partition_key, ElementsAre("a", "b"));
  EXPECT_THAT(tables.at(0).clustering_key, ElementsAre("c", "d"));
  EXPECT_EQ(tables.at(0).ttl.text, "");
  EXPECT_EQ(tables.at(1).ttl.text, "c");
  EXPECT_THAT(tables.at(1).partition_key, ElementsAre("a"));
  EXPECT_THAT(tables.at(1).clustering_key, ElementsAre("b"));
  EXPECT_EQ(tables.at(1).expect.at(0).name, "z");
}

TEST_F(SpecTest, KeysOfPagesAndOfWhatIsNewAreStored) {
  auto loaded = load_text(R"(name: pages
sources:
  a:
    http:
      url: http://a
      page: {by: offset, parameter: p, size: 10, size_parameter: limit}
      since: {column: times.updated, parameter: s, format: unix, first: "0", overlap: 1m}
    schema: item.schema.json
    to: t
    select: SELECT id FROM a
topics: {t: {}}
)");
  const auto& http = loaded.pipeline.sources.at(0).http;
  EXPECT_EQ(http.page->by, PageBy::kOffset);
  EXPECT_EQ(http.page->size, 10);
  EXPECT_EQ(http.page->size_parameter, "limit");
  ASSERT_TRUE(http.since);
  EXPECT_THAT(http.since->column, ElementsAre("times", "updated"));
  EXPECT_EQ(http.since->parameter, "s");
  EXPECT_EQ(http.since->format, SinceFormat::kUnix);
  EXPECT_EQ(http.since->first, "0");
  EXPECT_EQ(http.since->overlap, 1min);
}

TEST_F(SpecTest, AnchorsAndByteOrderMarksAndCarriageReturns) {
  auto loaded = load_text(
      "\xef\xbb\xbfname: anchors\r\ntopics:\r\n"
      "  a: &same {partitions: 2, schema: item.schema.json}\r\n  b: *same\r\n"
      "tables:\r\n  k.t:\r\n    primary_key: id\r\n"
      "    from: &query |\r\n      SELECT id\r\n      FROM a\r\n");
  EXPECT_EQ(loaded.pipeline.topics.at(1).partitions, 2);
  EXPECT_EQ(place_of(loaded.pipeline.tables.at(0).from, "FROM"), "10:7");
}

TEST_F(SpecTest, VariablesInValues) {
  auto text_of = [this](const std::string& written) { return load_sql(written).text; };
  EXPECT_EQ(text_of("a ${env:SET} b"), "a set b");
  EXPECT_EQ(text_of("${env:UNSET:-default}"), "default");
  EXPECT_EQ(text_of("${env:EMPTY:-default}"), "default");
  EXPECT_EQ(text_of("${env:SET:-default}"), "set");
  EXPECT_EQ(text_of("a${env:EMPTY}b"), "ab");
  EXPECT_EQ(text_of("a${env:UNSET:-}b"), "ab");
  EXPECT_EQ(text_of("'${env:UNSET:-{\"a\": {}}}'"), "{\"a\": {}}");
  EXPECT_EQ(text_of("${env:UNSET:-${env:ALSO:-${env:SET}}!}"), "set!");
  EXPECT_EQ(text_of("$${env:SET} $1 $ $"), "${env:SET} $1 $ $");
  EXPECT_EQ(text_of("a${env:SET}${env:SET}"), "asetset");
}

TEST_F(SpecTest, PlacesInSqlOfEveryStyle) {
  auto plain = load_sql("SELECT id FROM items");
  EXPECT_EQ(place_of(plain, "SELECT"), "6:11");
  EXPECT_EQ(place_of(plain, "items"), "6:26");

  auto folded_plain = load_sql("SELECT id\n      FROM items\n\n        WHERE id");
  EXPECT_EQ(place_of(folded_plain, "FROM"), "7:7");
  EXPECT_EQ(place_of(folded_plain, "WHERE"), "9:9");

  auto literal = load_sql("|  # comment\n      SELECT id,\n\n        text\n      FROM items");
  EXPECT_EQ(literal.text, "SELECT id,\n\n  text\nFROM items\n");
  EXPECT_EQ(place_of(literal, "SELECT"), "7:7");
  EXPECT_EQ(place_of(literal, "id"), "7:14");
  EXPECT_EQ(place_of(literal, "text"), "9:9");
  EXPECT_EQ(place_of(literal, "FROM"), "10:7");
  EXPECT_EQ(literal.at(literal.text.size() + 5).line, 10);

  auto folded = load_sql(">-\n      SELECT id\n      FROM items\n      WHERE id");
  EXPECT_EQ(folded.text, "SELECT id FROM items WHERE id");
  EXPECT_EQ(place_of(folded, "FROM"), "8:7");
  EXPECT_EQ(place_of(folded, "WHERE"), "9:7");

  auto single = load_sql("'SELECT ''a'' FROM\n      items'");
  EXPECT_EQ(single.text, "SELECT 'a' FROM items");
  EXPECT_EQ(place_of(single, "SELECT"), "6:12");
  EXPECT_EQ(place_of(single, "a'"), "6:21");
  EXPECT_EQ(place_of(single, "FROM"), "6:25");
  EXPECT_EQ(place_of(single, "items"), "7:7");

  auto quoted = load_sql(R"("SELECT \"a\",\n 1 \x41\u00e9é FROM items")");
  EXPECT_EQ(quoted.text, "SELECT \"a\",\n 1 Aéé FROM items");
  EXPECT_EQ(place_of(quoted, "a"), "6:21");
  EXPECT_EQ(place_of(quoted, ","), "6:24");
  EXPECT_EQ(place_of(quoted, "1"), "6:28");
  EXPECT_EQ(place_of(quoted, "A"), "6:30");
  EXPECT_EQ(place_of(quoted, "FROM"), "6:42");

  auto anchored = load_sql("&sql !!str SELECT id");
  EXPECT_EQ(place_of(anchored, "SELECT"), "6:22");
}

TEST_F(SpecTest, PlacesInSqlAroundVariables) {
  auto sql = load_sql("|\n      SELECT ${env:SET}, 'ü', x\n      FROM ${env:UNSET:-items}");
  EXPECT_EQ(sql.text, "SELECT set, 'ü', x\nFROM items\n");
  EXPECT_EQ(place_of(sql, "set"), "7:14");
  EXPECT_EQ(place_of(sql, "et"), "7:14");
  EXPECT_EQ(place_of(sql, ","), "7:24");
  EXPECT_EQ(place_of(sql, "x"), "7:31");
  EXPECT_EQ(place_of(sql, "FROM"), "8:7");
  EXPECT_EQ(place_of(sql, "items"), "8:25");
}

TEST_F(SpecTest, AnUnreadableFileIsAnError) {
  auto loaded = load(folder_ + "/absent.yaml", test_variables());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(loaded.error().message(), testing::HasSubstr("absent.yaml"));
  EXPECT_FALSE(load(folder_, test_variables()));
}

TEST_F(SpecTest, DeepAndSelfContainingFilesAreRefused) {
  for (const std::string& text :
       {std::string(100'000, '['), "topics: " + std::string(100'000, '{'),
        std::string("name: a\ntopics: &a {b: *a}\n"), std::string("&a [*a]")}) {
    std::string path = folder_ + "/deep.yaml";
    std::ofstream(path) << text;
    auto loaded = load(path, test_variables());
    ASSERT_TRUE(loaded);
    EXPECT_FALSE(loaded->ok());
  }
}

TEST_F(SpecTest, SecretsOfTheProcessComeFromFilesThenTheEnvironment) {
  std::ofstream(folder_ + "/FROM_FILE") << "in a file\n";
  ::setenv("MILLRACE_SECRETS", folder_.c_str(), 1);
  ::setenv("FROM_ENVIRONMENT", "in the environment", 1);
  auto variables = process_variables();
  EXPECT_EQ(variables.secret("FROM_FILE"), "in a file");
  EXPECT_EQ(variables.secret("FROM_ENVIRONMENT"), "in the environment");
  EXPECT_EQ(variables.secret("FROM_NOWHERE").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(variables.env("FROM_ENVIRONMENT"), "in the environment");
  EXPECT_EQ(variables.env("FROM_FILE"), std::nullopt);
  std::filesystem::create_directory(folder_ + "/FROM_ENVIRONMENT");
  EXPECT_EQ(variables.secret("FROM_ENVIRONMENT").error().code(), ErrorCode::kIo);
  ::unsetenv("MILLRACE_SECRETS");
  ::unsetenv("FROM_ENVIRONMENT");
}

TEST_F(SpecTest, ASecretThatCannotBeReadIsSaidSo) {
  std::string path = folder_ + "/secret.yaml";
  std::ofstream(path) << "name: a\nsources: {a: {http: {url: \"http://x/${secret:S}\"}}}\n";
  auto variables = test_variables();
  variables.secret = [](std::string_view) -> Result<std::string> {
    return fail(ErrorCode::kIo, "cannot read /s/S: Permission denied");
  };
  auto loaded = load(path, variables);
  ASSERT_TRUE(loaded);
  auto is_it = [](const Problem& problem) {
    return problem.message == "secret S cannot be read: cannot read /s/S: Permission denied";
  };
  EXPECT_EQ(std::ranges::count_if(loaded->problems, is_it), 1);
}

}  // namespace
}  // namespace millrace::spec
