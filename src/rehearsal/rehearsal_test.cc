#include "rehearsal/rehearsal.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "spec/spec.h"
#include "sql/engine.h"

namespace millrace::rehearsal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = Difference::Kind;

constexpr const char* kSchema = R"({"type": "object", "properties": {
  "id": {"type": "string", "format": "uuid"}, "at": {"type": "string", "format": "date-time"},
  "price": {"type": "number", "multipleOf": 0.01}, "weight": {"type": "number"},
  "name": {"type": ["string", "null"]}, "tags": {"type": "array", "items": {"type": "string"}}},
  "required": ["id"]})";

constexpr const char* kPipeline = R"(
name: shop
sources:
  shop:
    http: {url: "https://example.com/"}
    schema: item.schema.json
    to: goods
    select: SELECT * FROM shop WHERE name IS DISTINCT FROM 'left out'
topics:
  goods:
    key: id
    format: avro
tables:
  app.goods:
    primary_key: id
    from: SELECT * FROM goods
    expect: {is_light: weight IS NULL OR weight < 100}
    ttl: INTERVAL 30 DAYS
  app.tags:
    primary_key: [id, tag]
    from: SELECT id, unnest(tags) AS tag FROM goods
tests:
)";

constexpr const char* kOne = "5b0b7a52-6d34-4b0e-9c61-0a6b1f4c2d11";
constexpr const char* kTwo = "6c0b7a52-6d34-4b0e-9c61-0a6b1f4c2d22";

class RehearsalTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "rehearsal_test_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/item.schema.json") << kSchema;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Puts the pipeline with one test on the stage; ID and TWO stand for the two ids.
  void load(std::string given, std::string want) {
    for (auto* text : {&given, &want})
      for (auto [word, id] : {std::pair("ID", kOne), {"TWO", kTwo}})
        for (size_t at; (at = text->find(word)) != text->npos;) text->replace(at, strlen(word), id);
    std::string path = folder_ + "/shop.yaml";
    std::ofstream(path) << kPipeline << "  it:\n    given: " << given << "\n    want: " << want
                        << "\n";
    auto loaded = spec::load(path, spec::process_variables());
    ASSERT_TRUE(loaded) << loaded.error().message();
    loaded_ = *std::move(loaded);
    auto engine = sql::Engine::open({});
    ASSERT_TRUE(engine) << engine.error().message();
    engine_ = *std::move(engine);
    if (loaded_.ok()) plan_ = pipeline::make_plan(*engine_, loaded_.pipeline, loaded_.problems);
    if (loaded_.ok()) stage_.emplace(*engine_, loaded_.pipeline, plan_, loaded_.problems);
  }

  Outcome run(const std::string& given, const std::string& want) {
    load(given, want);
    for (const auto& problem : loaded_.problems)
      ADD_FAILURE() << to_string(problem.place) << ": " << problem.message;
    if (HasFailure()) return {};
    auto outcome = stage_->run(loaded_.pipeline.tests.at(0));
    EXPECT_TRUE(outcome) << outcome.error().message();
    return outcome ? *std::move(outcome) : Outcome{};
  }

  // The problem that lint tells of.
  std::string problem(const std::string& want) {
    load("{shop: []}", want);
    EXPECT_EQ(loaded_.problems.size(), 1u);
    return loaded_.problems.empty() ? "" : loaded_.problems[0].message;
  }

  std::string folder_;
  spec::Loaded loaded_;
  std::unique_ptr<sql::Engine> engine_;
  pipeline::Plan plan_;
  std::optional<Stage> stage_;
};

TEST_F(RehearsalTest, ValuesAreComparedAsTheColumnsTypeHasThem) {
  auto given = "{shop: [{id: ID, at: '2026-11-21T05:00:00+02:00', price: 1.50, weight: 1e1}]}";
  for (auto want :
       {"{id: 5B0B7A52-6D34-4B0E-9C61-0A6B1F4C2D11}", "{at: 2026-11-21 03:00:00}", "{price: 1.5}",
        "{weight: 10}", "{name: null}", "{name: ~, price: 15e-1}", "{tags: null}", "{}"})
    EXPECT_TRUE(run(given, fmt::format("{{app.goods: [{}]}}", want)).passed()) << want;
  for (auto want : {"{id: TWO}", "{at: 2026-11-21T05:00:00Z}", "{at: null}", "{price: 1.51}",
                    "{weight: 11}", "{name: ''}", "{tags: []}"}) {
    auto outcome = run(given, fmt::format("{{app.goods: [{}]}}", want));
    ASSERT_EQ(outcome.differences.size(), 1u) << want;
    EXPECT_EQ(outcome.differences[0].kind, Kind::kChanged) << want;
  }
}

TEST_F(RehearsalTest, RowsAreThoseThatTheTableWouldHave) {
  // The later row of a key updates the earlier; NULL leaves what was there.
  auto outcome = run("{shop: [{id: ID, name: a, weight: 1}, {id: TWO}, {id: ID, weight: 2}]}",
                     "{app.goods: [{id: TWO, name: null}, {id: ID, name: a, weight: 2}],"
                     " goods: [{id: ID, name: a}, {id: TWO}, {name: null, weight: 2}]}");
  EXPECT_TRUE(outcome.passed());
  // Several rows of a record, in any order.
  outcome = run("{shop: [{id: ID, tags: [x, y, x]}]}", "{app.tags: [{tag: y}, {tag: x}]}");
  EXPECT_TRUE(outcome.passed());
}

TEST_F(RehearsalTest, RowsMissingAndSuperfluousAreDifferences) {
  auto outcome =
      run("{shop: [{id: ID, name: a}]}", "{app.goods: [{id: TWO, name: b}, {id: ID, name: c}]}");
  ASSERT_EQ(outcome.differences.size(), 2u);
  const auto& missing = outcome.differences[0];
  EXPECT_EQ(missing.kind, Kind::kMissing);
  EXPECT_EQ(missing.columns[1].want, "\"b\"");
  const auto& changed = outcome.differences[1];  // the key says which row is meant
  EXPECT_EQ(changed.kind, Kind::kChanged);
  EXPECT_TRUE(changed.columns[0].same);
  EXPECT_FALSE(changed.columns[1].same);
  EXPECT_EQ(changed.columns[1].got, "\"a\"");
  EXPECT_EQ(changed.columns[1].want, "\"c\"");
  EXPECT_EQ(changed.place.line, loaded_.pipeline.tests[0].want[0].rows[1].place.line);

  outcome = run("{shop: [{id: ID, name: a}]}", "{app.goods: []}");
  ASSERT_EQ(outcome.differences.size(), 1u);
  EXPECT_EQ(outcome.differences[0].kind, Kind::kExtra);
}

TEST_F(RehearsalTest, WhatIsLeftOutIsTold) {
  auto outcome = run("{shop: [{id: ID, name: left out}]}", "{app.goods: [{id: ID}]}");
  EXPECT_FALSE(outcome.passed());
  EXPECT_THAT(outcome.filtered, ElementsAre(testing::Pair("shop", 1u)));
}

TEST_F(RehearsalTest, DeadLettersAreWantedOrDifferences) {
  std::string given = "{shop: [{id: ID}, {name: a}, 7, {id: TWO, weight: 1000}]}";
  auto outcome = run(given,
                     "{app.goods: [{id: ID}], dead_letters: {shop: [{stage: decode, error: object},"
                     " {error: required}], app.goods: [{rule: is_light}]}}");
  EXPECT_TRUE(outcome.passed());
  outcome = run(given,
                "{app.goods: [{id: ID}], dead_letters: {shop: [{error: required}, {}],"
                " app.goods: [{rule: primary_key}]}}");
  ASSERT_EQ(outcome.differences.size(), 1u);
  EXPECT_TRUE(outcome.differences[0].dead_letter);
  EXPECT_EQ(outcome.differences[0].columns[0].got, "\"is_light\"");

  outcome = run(given, "{app.goods: [{id: ID}]}");
  ASSERT_EQ(outcome.differences.size(), 3u);
  for (const auto& difference : outcome.differences) {
    EXPECT_EQ(difference.kind, Kind::kExtra);
    EXPECT_TRUE(difference.dead_letter);
    EXPECT_EQ(difference.columns.back().name, "record");
  }
  // Those of a table that the test does not name, too.
  outcome = run("{shop: [{id: TWO, weight: 1000}]}", "{goods: [{id: TWO}]}");
  ASSERT_EQ(outcome.differences.size(), 1u);
  EXPECT_EQ(outcome.differences[0].node, "app.goods");
  EXPECT_EQ(outcome.differences[0].columns[0].got, "\"is_light\"");
}

TEST_F(RehearsalTest, ATopicCanBeGivenItsRecords) {
  auto outcome = run("{goods: [{id: ID}, {}]}",
                     "{app.goods: [{id: ID}], dead_letters: {app.goods: [{rule: primary_key}]}}");
  EXPECT_THAT(outcome.differences, IsEmpty());
}

TEST_F(RehearsalTest, WhatCannotBeIsAProblemBeforeAnyTestRuns) {
  EXPECT_EQ(problem("{app.goods: [{nme: a}]}"),
            "app.goods has no column 'nme'; did you mean 'name'?");
  EXPECT_EQ(problem("{app.goods: [{name: 76100}]}"),
            "name: expected a string, got a number 76100; the column is VARCHAR: write \"76100\"");
  EXPECT_THAT(problem("{goods: [{id: 12}]}"), HasSubstr("the column is UUID"));
  EXPECT_THAT(problem("{dead_letters: {shop: [{rule: 7}]}}"), HasSubstr("is text, not 7"));
}

TEST(Match, EveryRowWantedFindsItsOwnWhereThatIsPossible) {
  auto equal = [](const WantedCell& wanted, const Row& row) {
    return row[wanted.first] == wanted.second;
  };
  std::vector<Row> rows = {{"1", "x"}, {"1", "y"}, {"2", "x"}};
  std::vector<WantedRow> wanted = {{{}, {}}, {{}, {{0, "1"}}}, {{}, {{0, "1"}, {1, "x"}}}};
  auto found = match(wanted, rows, {0}, equal);
  EXPECT_THAT(found.exact, ElementsAre(true, true, true));
  EXPECT_THAT(found.row_of, ElementsAre(2u, 1u, 0u));
  // Of those that are not equal, the key decides which is meant.
  wanted = {{{}, {{0, "2"}, {1, "y"}}}};
  found = match(wanted, rows, {0}, equal);
  EXPECT_THAT(found.exact, ElementsAre(false));
  EXPECT_THAT(found.row_of, ElementsAre(2u));
}

}  // namespace
}  // namespace millrace::rehearsal
