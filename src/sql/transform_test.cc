#include "sql/transform.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <nlohmann/json.hpp>

#include "base/test_seeds.h"
#include "sql/json_split.h"
#include "sql/json_writer.h"
#include "sql/test_rows.h"

namespace millrace::sql {
namespace {

using schema::Field;
using schema::Kind;
using schema::Type;

// Collects rows as JSON text and the record each came from.
class Collect : public TransformOutput {
 public:
  explicit Collect(const schema::Columns& columns) : writer_(columns) {}

  Result<void> rows(const Rows& rows, std::span<const int32_t> record_of,
                    std::span<const uint8_t> keep) override {
    for (size_t i = 0; i < rows.count; ++i) {
      if (keep[i] == 0) continue;
      std::string text;
      writer_.append(rows, i, text);
      json.push_back(text);
      records.push_back(record_of[i]);
    }
    return {};
  }

  std::vector<std::string> json;
  std::vector<int32_t> records;

 private:
  JsonWriter writer_;
};

// The TTLs that a transform gives its rows; -1: none.
class Ttls : public TransformOutput {
 public:
  Result<void> rows(const Rows& rows, std::span<const int32_t>,
                    std::span<const uint8_t> keep) override {
    const auto& ttl = rows.columns.back();
    for (size_t i = 0; i < rows.count; ++i)
      if (keep[i] != 0) seconds.push_back(ttl.valid(i) ? ttl.value<int64_t>(i) : -1);
    return {};
  }
  std::vector<int64_t> seconds;
};

struct Ran {
  std::vector<std::string> rows;
  std::vector<int32_t> records;
  std::vector<Failure> failures;
  Transform::Counts counts;
};

class TransformTest : public testing::Test {
 protected:
  TransformTest() : engine_(std::move(*Engine::open({}))) {}

  Transform prepare(TransformSpec spec) {
    auto transform = Transform::prepare(*engine_, std::move(spec));
    if (!transform) {
      ADD_FAILURE() << transform.error().message;
      std::abort();
    }
    return std::move(*transform);
  }

  SqlProblem problem(const std::string& select, std::vector<Condition> expectations = {}) {
    auto transform = Transform::prepare(*engine_, {"users", columns_, select, expectations});
    if (transform) {
      ADD_FAILURE() << select << " is accepted";
      return {};
    }
    return transform.error();
  }

  Ran run(Transform& transform, std::vector<std::string> records) {
    std::vector<std::optional<std::string_view>> views;
    for (auto& record : records) {
      record.reserve(record.size() + kJsonPadding);
      if (record == "tombstone")
        views.emplace_back(std::nullopt);
      else
        views.emplace_back(record);
    }
    Collect collect(transform.columns());
    Ran ran;
    auto counts = transform.run(views, collect, ran.failures);
    EXPECT_TRUE(counts) << counts.error().message();
    if (counts) ran.counts = *counts;
    ran.rows = collect.json;
    ran.records = collect.records;
    return ran;
  }

  Ran run(const std::string& select, std::vector<std::string> records,
          std::vector<Condition> expectations = {}) {
    auto transform = prepare({"users", columns_, select, std::move(expectations)});
    return run(transform, std::move(records));
  }

  std::unique_ptr<Engine> engine_;
  schema::Columns columns_ = {
      {"id", {.kind = Kind::kBigInt}, false, true},
      {"name",
       {.kind = Kind::kStruct,
        .children = {{"first", {}, true, false}, {"last", {}, true, false}}}},
      {"postcode", {.json_values = schema::kJsonString | schema::kJsonInteger}},
      {"tags", {.kind = Kind::kList, .children = {{"element", {}}}}},
  };
};

TEST_F(TransformTest, SelectsNestedFieldsOfEveryRecord) {
  auto ran = run("SELECT id, name.first AS first, postcode, len(tags) AS n FROM users",
                 {R"({"id":1,"name":{"first":"Zoë","last":"x"},"postcode":76100,"tags":["a","b"]})",
                  R"({ "tags": [] , "postcode": "4010 XJ", "name": null, "id": 2 })"});
  EXPECT_EQ(ran.rows,
            (std::vector<std::string>{R"({"id":1,"first":"Zoë","postcode":"76100","n":2})",
                                      R"({"id":2,"first":null,"postcode":"4010 XJ","n":0})"}));
  EXPECT_EQ(ran.counts.passed, 2u);
  EXPECT_TRUE(ran.failures.empty());
}

TEST_F(TransformTest, AWrongValueIsThatRecordsErrorAlone) {
  auto ran = run("SELECT * FROM users",
                 {R"({"id":1})", R"({"id":"two"})", R"({"id":3,"name":{"first":7}})",
                  R"({"name":null})", R"({"id":5,"tags":["a",1]})", R"({"id":null})",
                  R"({"id":7}})", R"([1])", "", R"({"id":9})", R"({"id":99999999999999999999})"});
  EXPECT_EQ(ran.records, (std::vector<int32_t>{0, 9}));
  std::vector<std::string> errors;
  for (const auto& failure : ran.failures)
    errors.push_back(fmt::format("{} {}", failure.record, failure.error));
  EXPECT_EQ(errors[0], R"(1 id: expected BIGINT, got a string "two")");
  EXPECT_EQ(errors[1], R"(2 name.first: expected a string, got a number 7)");
  EXPECT_EQ(errors[2], R"(3 id: required, but missing)");
  EXPECT_EQ(errors[3], R"(4 tags.[1]: expected a string, got a number 1)");
  EXPECT_EQ(errors[4], R"(5 id: expected BIGINT, got null)");
  EXPECT_EQ(errors.size(), 9u);
  EXPECT_EQ(errors[8], "10 id: 99999999999999999999 does not fit BIGINT");
  EXPECT_EQ(ran.counts.failed, 9u);
}

TEST_F(TransformTest, OnlyWhatIsReadIsChecked) {
  auto ran = run("SELECT users.id FROM users", {R"({"id":1,"name":7,"postcode":[]})"});
  EXPECT_EQ(ran.counts.passed, 1u);
}

TEST_F(TransformTest, SqlThatFailsOnOneRecordFailsThatRecord) {
  std::vector<std::string> records;
  for (int i = 0; i < 5000; ++i)
    records.push_back(
        fmt::format(R"({{"id":{},"postcode":"{}"}})", i, i == 1234 || i == 4999 ? "x" : "7"));
  auto ran = run("SELECT id, CAST(postcode AS INTEGER) + 1 AS p FROM users", records);
  EXPECT_EQ(ran.rows.size(), 4998u);
  EXPECT_TRUE(std::ranges::is_sorted(ran.records));
  ASSERT_EQ(ran.failures.size(), 2u);
  EXPECT_EQ(ran.failures[0].record, 1234u);
  EXPECT_EQ(ran.failures[0].stage, Stage::kSql);
  EXPECT_NE(ran.failures[0].error.find("Could not convert string 'x'"), std::string::npos)
      << ran.failures[0].error;
  EXPECT_EQ(ran.failures[1].record, 4999u);
}

TEST_F(TransformTest, AnErrorThatQuotesALongValueIsCut) {
  std::string zeros(size_t{1} << 20, '0');
  auto ran = run("SELECT id, CAST(postcode AS DATE) AS d FROM users",
                 {R"({"id":1,"postcode":")" + zeros + "\"}",
                  R"({"id":99999999999999999999.)" + zeros + R"(,"postcode":"x"})"});
  ASSERT_EQ(ran.failures.size(), 2u);
  for (const auto& failure : ran.failures) {
    EXPECT_LT(failure.error.size(), 5'000u);
    EXPECT_TRUE(failure.error.ends_with("…")) << failure.error;
  }
}

TEST_F(TransformTest, ExpectationsKeepTheirRecordOut) {
  auto ran = run("SELECT id, unnest(tags) AS tag FROM users WHERE id < 10",
                 {R"({"id":1,"tags":["a","b"]})", R"({"id":2,"tags":["a","bad","c"]})",
                  R"({"id":3,"tags":[]})", R"({"id":11,"tags":["a"]})", R"({"id":4,"tags":[null]})",
                  "tombstone"},
                 {{"no_bad", "tag != 'bad'"}, {"positive", "id > 0"}});
  EXPECT_EQ(ran.rows, (std::vector<std::string>{R"({"id":1,"tag":"a"})", R"({"id":1,"tag":"b"})"}));
  ASSERT_EQ(ran.failures.size(), 2u);
  EXPECT_EQ(ran.failures[0].record, 1u);
  EXPECT_EQ(ran.failures[0].rule, "no_bad");
  EXPECT_EQ(ran.failures[1].record, 4u);  // NULL is not true
  EXPECT_EQ(ran.counts.passed, 1u);
  EXPECT_EQ(ran.counts.filtered, 3u);
  EXPECT_EQ(ran.counts.failed, 2u);
}

TEST_F(TransformTest, ARecordMayMakeMoreRowsThanAChunk) {
  auto ran = run("SELECT unnest(range(10000)) AS n FROM users", {R"({"id":1})", R"({"id":2})"});
  EXPECT_EQ(ran.rows.size(), 20000u);
  EXPECT_EQ(ran.counts.passed, 2u);
}

TEST_F(TransformTest, FromMayBeLeftOut) {
  auto ran = run("SELECT id, postcode WHERE id > 1", {R"({"id":1})", R"({"id":2})"});
  EXPECT_EQ(ran.rows, (std::vector<std::string>{R"({"id":2,"postcode":null})"}));
  EXPECT_EQ(problem("SELECT id, emial WHERE id > 1").position, 11u);
}

TEST_F(TransformTest, StarsDoNotShowTheHiddenColumn) {
  auto transform = prepare({"users", columns_, "SELECT u.* EXCLUDE (tags) FROM users u", {}});
  ASSERT_EQ(transform.columns().size(), 3u);
  EXPECT_EQ(transform.columns()[2].name, "postcode");
}

TEST_F(TransformTest, RefusesWhatNeedsMoreThanOneRecord) {
  for (const char* sql :
       {"SELECT count(*) FROM users", "SELECT id FROM users GROUP BY id",
        "SELECT DISTINCT id FROM users", "SELECT id FROM users ORDER BY id",
        "SELECT id FROM users LIMIT 1", "SELECT row_number() OVER () AS n FROM users",
        "SELECT a.id FROM users a, users b", "SELECT (SELECT max(id) FROM users) AS m FROM users",
        "WITH x AS (SELECT 1) SELECT id FROM users", "SELECT id FROM users UNION SELECT 1",
        "SELECT id FROM others", "SELECT ? AS x FROM users", "INSERT INTO users VALUES (1)",
        "SELECT id FROM users; SELECT id FROM users"})
    EXPECT_FALSE(problem(sql).message.empty()) << sql;
  EXPECT_EQ(problem("SELECT id FROM users LIMIT 1").message,
            "a pipeline's SELECT makes rows of one record at a time, so it has no LIMIT");
  for (const char* sql : {"SELECT count(*) AS n FROM users", "SELECT id, sum(id) AS n FROM users"})
    EXPECT_EQ(problem(sql, {{"ok", "n > 0"}}).message,
              "a pipeline's SELECT makes rows of one record at a time, so it has no aggregates, "
              "such as count() or sum()");
}

TEST_F(TransformTest, ProblemsSayWhere) {
  auto wrong_column = problem("SELECT id,\n       emial FROM users");
  EXPECT_EQ(wrong_column.position, 18u) << wrong_column.message;
  EXPECT_NE(wrong_column.message.find("emial"), std::string::npos);
  auto syntax = problem("SELECT id FRM users x y");
  EXPECT_EQ(syntax.position, 14u) << syntax.message;
  auto field = problem("SELECT name.frist FROM users");
  EXPECT_NE(field.message.find("\"first\""), std::string::npos) << field.message;
  auto expectation = problem("SELECT id FROM users", {{"ok", "id > 0"}, {"bad", "nope > 0"}});
  EXPECT_EQ(expectation.part, SqlProblem::Part::kExpectation);
  EXPECT_EQ(expectation.expectation, 1u);
  EXPECT_EQ(expectation.position, 0u) << expectation.message;
  EXPECT_NE(problem("SELECT id, id FROM users").message.find("two columns"), std::string::npos);
  EXPECT_NE(problem("SELECT id::UBIGINT AS u FROM users").message.find("cast it"),
            std::string::npos);
  EXPECT_FALSE(problem("SELECT id FROM users", {{"sum", "sum(id) > 0"}}).message.empty());
  EXPECT_FALSE(problem("SELECT id FROM users", {{"number", "id"}}).message.empty());
}

TEST_F(TransformTest, FilesAndSettingsAreOutOfReach) {
  for (const char* sql :
       {"SELECT content FROM read_text('/etc/passwd')", "SELECT getenv('HOME') AS h FROM users"}) {
    auto transform = Transform::prepare(*engine_, {"users", columns_, sql, {}});
    if (!transform) continue;
    auto ran = run(*transform, {R"({"id":1})"});
    EXPECT_EQ(ran.counts.passed, 0u) << sql;
  }
}

TEST_F(TransformTest, TellsWhichColumnsAreTheInputsUnchanged) {
  auto input = [&](const std::string& select, const std::string& column) {
    return prepare({"users", columns_, select, {}}).input_column(column).value_or("none");
  };
  EXPECT_EQ(input("SELECT * FROM users", "id"), "id");
  EXPECT_EQ(input("SELECT ID AS key, id + 1 AS id FROM users", "key"), "id");
  EXPECT_EQ(input("SELECT ID AS key, id + 1 AS id FROM users", "id"), "none");
  EXPECT_EQ(input("SELECT u.id FROM users u", "id"), "id");
  EXPECT_EQ(input("SELECT name.first AS id FROM users", "id"), "none");
  EXPECT_EQ(input("SELECT * REPLACE (id + 1 AS id) FROM users", "id"), "none");
  EXPECT_EQ(input("SELECT * REPLACE (id + 1 AS id) FROM users", "postcode"), "postcode");
  EXPECT_EQ(input("SELECT * EXCLUDE (id), id + 1 AS id FROM users", "id"), "none");
  EXPECT_EQ(input("SELECT * EXCLUDE (users.id), id + 1 AS id FROM users", "id"), "none");
  EXPECT_EQ(input("SELECT * RENAME (id AS postcode, postcode AS id) FROM users", "id"), "none");
  EXPECT_EQ(input("SELECT users.* FROM users", "id"), "id");
  EXPECT_EQ(input("SELECT name.*, id FROM users", "first"), "none");
  EXPECT_EQ(input("SELECT COLUMNS(c -> c = 'id') FROM users", "id"), "none");
  EXPECT_EQ(input("SELECT id::VARCHAR AS id FROM users", "id"), "none");
}

TEST_F(TransformTest, ATtlIsSecondsOrAnIntervalAndOneOutOfBoundsIsARecordsFailure) {
  for (const std::string ttl : {"id", "to_seconds(id)", "id::SMALLINT"}) {
    auto transform = prepare(
        {.input = "users", .columns = columns_, .select = "SELECT * FROM users", .ttl = ttl});
    EXPECT_EQ(transform.columns().size(), 4u);
    Ttls ttls;
    const std::vector<std::string> texts = {R"({"id":1})", R"({"id":0})", R"({"id":-5})",
                                            R"({"id":3600})"};
    PaddedTexts padded(texts);
    std::vector<Failure> failures;
    auto counts = transform.run(padded.views(), ttls, failures);
    EXPECT_EQ(counts->passed, 2u);
    EXPECT_EQ(ttls.seconds, (std::vector<int64_t>{1, 3600})) << ttl;
    ASSERT_EQ(failures.size(), 2u);
    EXPECT_EQ(failures[1].record, 2u);
    EXPECT_EQ(failures[1].stage, Stage::kExpect);
    EXPECT_EQ(failures[1].rule, "ttl");
    EXPECT_EQ(failures[1].error, "a TTL is 1 to 630720000 seconds, not -5");
  }
}

TEST_F(TransformTest, ATtlMayBeNullAndUpToTwentyYears) {
  auto transform = prepare({.input = "users",
                            .columns = columns_,
                            .select = "SELECT id AS n FROM users",
                            .ttl = "CASE WHEN n > 0 THEN INTERVAL 7300 DAYS + to_seconds(n - 1) "
                                   "WHEN n < 0 THEN INTERVAL 1 MILLISECOND END"});
  Ttls ttls;
  const std::vector<std::string> texts = {R"({"id":0})", R"({"id":1})", R"({"id":2})",
                                          R"({"id":-1})"};
  PaddedTexts padded(texts);
  std::vector<Failure> failures;
  ASSERT_TRUE(transform.run(padded.views(), ttls, failures));
  EXPECT_EQ(ttls.seconds, (std::vector<int64_t>{-1, 630'720'000, 1}));
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(failures[0].record, 2u);
}

TEST_F(TransformTest, WhatIsNoTtlIsRefusedWithItsPlace) {
  auto problem = [&](const std::string& ttl) {
    auto transform = Transform::prepare(
        *engine_,
        {.input = "users", .columns = columns_, .select = "SELECT id FROM users", .ttl = ttl});
    EXPECT_FALSE(transform) << ttl;
    if (transform) return std::string();
    EXPECT_EQ(transform.error().part, SqlProblem::Part::kTtl);
    return fmt::format("{} {}", transform.error().position, transform.error().message);
  };
  EXPECT_EQ(problem("id + postcode").substr(0, 2), "5 ");
  for (const char* ttl : {"'1 day'", "1.5", "id::DOUBLE", "sum(id)", "unnest([1, 2])", "(SELECT 1)",
                          "row_number() OVER ()", "id, id", "?"})
    EXPECT_NE(problem(ttl), "") << ttl;
}

// DuckDB keeps something of each execution for as long as the prepared statement lives.
TEST_F(TransformTest, TakesNoMoreMemoryHoweverOftenItRuns) {
  if (kSlowness > 1) GTEST_SKIP() << "malloc is the sanitizer's";
  auto transform =
      prepare({.input = "users", .columns = columns_, .select = "SELECT id FROM users"});
  const std::vector<std::string> text = {R"({"id":1})"};
  PaddedTexts padded(text);
  auto bytes_after = [&](int runs) {
    for (int i = 0; i < runs; ++i) {
      Ttls ignored;
      std::vector<Failure> failures;
      EXPECT_TRUE(transform.run(padded.views(), ignored, failures));
    }
    auto used = mallinfo2();
    return used.uordblks + used.hblkhd;
  };
  const auto before = bytes_after(2'000);
  EXPECT_LT(bytes_after(6'000), before + (size_t{6} << 20));
}

}  // namespace
}  // namespace millrace::sql
