#include "sql/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stop_token>
#include <thread>

#include "sql/test_rows.h"

namespace millrace::sql {
namespace {

using schema::Kind;
using testing::ElementsAre;
using testing::HasSubstr;

// Rows (id, text) of parts 0, 1, …: part p has the ids p * rows_of_part and up.
class Numbers : public Relation {
 public:
  struct Shape {
    size_t parts = 1;
    size_t rows_of_part = 3;
    size_t fails_in_part = SIZE_MAX;  // after its first chunk
  };

  Numbers(std::string schema_name, std::string name, Shape shape)
      : schema_name_(std::move(schema_name)), name_(std::move(name)), shape_(shape) {}

  const std::string& schema_name() const override { return schema_name_; }
  const std::string& name() const override { return name_; }
  const schema::Columns& columns() const override { return columns_; }
  size_t part_count() const override { return shape_.parts; }

  Result<std::unique_ptr<RelationScan>> open(std::span<const uint32_t> columns,
                                             size_t part) const override {
    std::scoped_lock lock(mutex_);
    asked_for_.emplace(columns.begin(), columns.end());
    return std::make_unique<Scan>(*this, std::vector<uint32_t>(columns.begin(), columns.end()),
                                  part);
  }

  std::set<std::vector<uint32_t>> asked_for() const {
    std::scoped_lock lock(mutex_);
    return asked_for_;
  }

 private:
  class Scan : public RelationScan {
   public:
    Scan(const Numbers& of, std::vector<uint32_t> columns, size_t part)
        : of_(of), columns_(std::move(columns)), part_(part) {}

    Result<size_t> fill(std::span<VectorWriter> writers) override {
      EXPECT_EQ(writers.size(), columns_.size());
      size_t count = std::min(kChunkRows, of_.shape_.rows_of_part - done_);
      if (part_ == of_.shape_.fails_in_part && done_ > 0)
        return fail(ErrorCode::kCorrupt, "part {} cannot be read on", part_);
      for (size_t row = 0; row < count; ++row) {
        auto id = static_cast<int64_t>(part_ * of_.shape_.rows_of_part + done_ + row);
        for (size_t i = 0; i < columns_.size(); ++i)
          if (columns_[i] == 0)
            writers[i].set(row, id);
          else
            writers[i].set_text(row, "a text that lies outside");
      }
      done_ += count;
      return count;
    }

   private:
    const Numbers& of_;
    std::vector<uint32_t> columns_;
    size_t part_;
    size_t done_ = 0;
  };

  std::string schema_name_;
  std::string name_;
  Shape shape_;
  schema::Columns columns_ = {{"id", {.kind = Kind::kBigInt}}, {"text", {}}};
  mutable std::mutex mutex_;
  mutable std::set<std::vector<uint32_t>> asked_for_;
};

// Forgets what it is given.
class NoRows : public QueryOutput {
  Result<void> columns(const schema::Columns&) override { return {}; }
  Result<void> rows(const Rows&) override { return {}; }
};

class QueryTest : public testing::Test {
 protected:
  std::shared_ptr<Numbers> add(std::string schema_name, std::string name, Numbers::Shape shape) {
    auto relation = std::make_shared<Numbers>(std::move(schema_name), std::move(name), shape);
    relations_.push_back(relation);
    return relation;
  }
  // The rows; the error's message as the only one.
  std::vector<std::string> query(std::string_view sql, int threads = 1) {
    answer_ = {};
    auto done = run_query({.threads = threads}, sql, relations_, answer_);
    if (done) return answer_.json;
    code_ = done.error().code();
    return {"error: " + done.error().message()};
  }

  std::vector<std::shared_ptr<const Relation>> relations_;
  JsonAnswer answer_;
  ErrorCode code_{};
};

TEST_F(QueryTest, ReadsOnlyTheColumnsItNeeds) {
  auto t = add("", "t", {});
  EXPECT_THAT(query("SELECT text, id FROM t WHERE id = 2"),
              ElementsAre(R"({"text":"a text that lies outside","id":2})"));
  EXPECT_THAT(query("SELECT count(*) AS n FROM t"), ElementsAre(R"({"n":3})"));
  EXPECT_THAT(query("SELECT sum(id)::BIGINT AS s FROM t"), ElementsAre(R"({"s":3})"));
  EXPECT_THAT(query("SELECT 1 AS one FROM t LIMIT 1"), ElementsAre(R"({"one":1})"));
  // For a query that reads no column DuckDB asks for the first.
  EXPECT_THAT(t->asked_for(), ElementsAre(ElementsAre(0), ElementsAre(0, 1)));
}

TEST_F(QueryTest, SharesPartsAmongThreads) {
  add("", "t", {.parts = 37, .rows_of_part = 5'000});
  EXPECT_THAT(query("SELECT count(*) AS n, count(DISTINCT id) AS d, max(id) AS m FROM t", 4),
              ElementsAre(R"({"n":185000,"d":185000,"m":184999})"));
}

TEST_F(QueryTest, PartsMayBeEmpty) {
  add("", "t", {.parts = 5, .rows_of_part = 0});
  EXPECT_THAT(query("SELECT count(*) AS n FROM t"), ElementsAre(R"({"n":0})"));
  EXPECT_TRUE(query("SELECT * FROM t").empty());
  EXPECT_EQ(answer_.names_and_types.size(), 2U);
}

TEST_F(QueryTest, AScansErrorComesWithItsOwnWordsAndCode) {
  add("", "t", {.parts = 9, .rows_of_part = 5'000, .fails_in_part = 7});
  for (int threads : {1, 4}) {
    relations_.clear();
    add("", "t", {.parts = 9, .rows_of_part = 5'000, .fails_in_part = 7});
    EXPECT_THAT(query("SELECT max(id) AS m FROM t", threads),
                ElementsAre("error: part 7 cannot be read on"));
    EXPECT_EQ(code_, ErrorCode::kCorrupt);
  }
  EXPECT_THAT(query("SELECT id FROM t LIMIT 1"), ElementsAre(R"({"id":0})"));
}

TEST_F(QueryTest, AnOutputsErrorEndsTheQuery) {
  class Full : public JsonAnswer {
    Result<void> rows(const Rows&) override { return fail(ErrorCode::kLimit, "enough"); }
  };
  add("", "t", {});
  Full full;
  auto done = run_query({}, "SELECT * FROM t", relations_, full);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), ErrorCode::kLimit);
  EXPECT_EQ(done.error().message(), "enough");
}

TEST_F(QueryTest, AStopEndsAQueryInItsMiddle) {
  for (const char* sql : {"SELECT sum(id % 7) AS s FROM endless", "SELECT id FROM endless",
                          "SELECT sum(range % 7 + id) AS s FROM t, range(100000000000000)"}) {
    for (int threads : {1, 4}) {
      relations_.clear();
      auto endless = add("", "endless", {.rows_of_part = SIZE_MAX});
      auto t = add("", "t", {});
      std::stop_source stop;
      std::jthread stopper([&] {
        while (endless->asked_for().empty() && t->asked_for().empty()) std::this_thread::yield();
        stop.request_stop();
      });
      NoRows output;
      auto done =
          run_query({.threads = threads, .stop = stop.get_token()}, sql, relations_, output);
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().code(), ErrorCode::kCancelled) << done.error().message();
    }
  }
}

TEST_F(QueryTest, AQueryThatIsStoppedBeforeItsBeginningDoesNotBegin) {
  std::stop_source stop;
  stop.request_stop();
  NoRows output;
  auto done = run_query({.stop = stop.get_token()}, "SELECT 1 AS one", {}, output);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), ErrorCode::kCancelled);
}

TEST_F(QueryTest, TypesWithoutANameHereComeAsText) {
  EXPECT_THAT(
      query("SELECT 18446744073709551615::UBIGINT AS u, INTERVAL 90 MINUTE AS i, "
            "'b'::ENUM('a', 'b') AS e, '101'::BIT AS b, 7::UTINYINT AS t, NULL::INTERVAL AS n, "
            "TIMESTAMPTZ '2024-01-01 00:00:00+00' IS NOT NULL AS z, 1 AS one"),
      ElementsAre(R"({"u":"18446744073709551615","i":"01:30:00","e":"b","b":"101","t":"7",)"
                  R"("n":null,"z":true,"one":1})"));
  EXPECT_EQ(answer_.names_and_types[0].type.kind, Kind::kVarchar);
  EXPECT_EQ(answer_.names_and_types[7].type.kind, Kind::kInteger);
  EXPECT_THAT(query("SELECT [1::UBIGINT] AS l, {'a': 2::UINTEGER} AS s -- the end"),
              ElementsAre(R"({"l":"[1]","s":"{'a': 2}"})"));
  EXPECT_THAT(query("SELECT 1::UBIGINT AS a, 2::UBIGINT AS a"), ElementsAre(HasSubstr("\"1\"")));
}

TEST_F(QueryTest, NothingButReadingIsPossible) {
  add("ks", "t", {});
  for (const char* sql : {"INSERT INTO ks.t VALUES (1)",
                          "DELETE FROM ks.t",
                          "UPDATE ks.t SET id = 1",
                          "CREATE TABLE x (a INT)",
                          "CREATE VIEW v AS SELECT 1",
                          "CREATE TEMP TABLE y AS SELECT 1",
                          "DROP VIEW ks.t",
                          "COPY (SELECT 1) TO '/tmp/millrace-query-test.csv'",
                          "COPY ks.t FROM '/etc/passwd'",
                          "ATTACH '/tmp/millrace-query-test.db'",
                          "PRAGMA threads = 8",
                          "SET threads = 8",
                          "SET enable_external_access = true",
                          "RESET enable_external_access",
                          "INSTALL httpfs",
                          "LOAD httpfs",
                          "EXPORT DATABASE '/tmp/x'",
                          "CALL pragma_version()",
                          "CHECKPOINT",
                          "VACUUM",
                          "BEGIN",
                          "PREPARE p AS SELECT 1",
                          "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/millrace-query-test.csv'",
                          "USE ks",
                          "SELECT 1; SELECT 2",
                          "SELECT 1; DROP VIEW ks.t",
                          "SELECT * FROM read_csv('/etc/passwd')",
                          "SELECT * FROM read_text('/etc/passwd')",
                          "SELECT * FROM '/etc/passwd'",
                          "SELECT * FROM read_blob('/etc/*')",
                          "SELECT * FROM glob('/etc/*')",
                          "SELECT * FROM read_json('https://example.com/x')",
                          "WITH x AS (INSERT INTO ks.t VALUES (1)) SELECT * FROM x",
                          "",
                          " ",
                          ";",
                          "-- nothing",
                          "SELEC 1",
                          "SELECT nope FROM ks.t",
                          "SELECT * FROM ks.nope",
                          "SELECT $1",
                          "SELECT ?",
                          "SELECT getenv('HOME')"})
    EXPECT_THAT(query(sql), ElementsAre(testing::StartsWith("error: "))) << sql;
  EXPECT_THAT(query("INSERT INTO ks.t VALUES (1)"), ElementsAre(HasSubstr("t")));
}

TEST_F(QueryTest, OtherFormsOfReading) {
  add("ks", "t", {});
  EXPECT_THAT(query("WITH x AS (SELECT max(id) AS m FROM ks.t) SELECT m FROM x"),
              ElementsAre(R"({"m":2})"));
  EXPECT_THAT(query("VALUES (1, 'a'), (2, 'b')"),
              ElementsAre(R"({"col0":1,"col1":"a"})", R"({"col0":2,"col1":"b"})"));
  EXPECT_THAT(query("FROM ks.t SELECT id ORDER BY id DESC LIMIT 1;"), ElementsAre(R"({"id":2})"));
  EXPECT_THAT(query("SELECT 1 AS a ; \n ;; "), ElementsAre(R"({"a":1})"));
  EXPECT_THAT(query("SELECT 1 AS a -- ends in a comment;"), ElementsAre(R"({"a":1})"));
  auto described = query("DESCRIBE ks.t");
  ASSERT_EQ(described.size(), 2U) << described[0];
  EXPECT_THAT(described[0], HasSubstr(R"("column_name":"id","column_type":"BIGINT")"));
  EXPECT_THAT(query("DESCRIBE SELECT id FROM ks.t"), ElementsAre(HasSubstr("BIGINT")));
  add("", "topic", {});
  EXPECT_THAT(query("SHOW TABLES"), ElementsAre(R"({"name":"topic"})"));
  EXPECT_THAT(query("EXPLAIN SELECT id FROM ks.t"), ElementsAre(HasSubstr("Projections: id")));
}

TEST_F(QueryTest, RelationsMayHaveAnyName) {
  add("", "select", {});
  add("", "with \"quotes\" and spaces", {});
  add("", "a.b", {});
  add("order", "größe", {});
  EXPECT_THAT(query("SELECT count(*) AS n FROM \"select\""), ElementsAre(R"({"n":3})"));
  EXPECT_THAT(query("SELECT count(*) AS n FROM \"with \"\"quotes\"\" and spaces\""),
              ElementsAre(R"({"n":3})"));
  EXPECT_THAT(query("SELECT count(*) AS n FROM \"a.b\""), ElementsAre(R"({"n":3})"));
  EXPECT_THAT(query("SELECT count(*) AS n FROM \"order\".größe"), ElementsAre(R"({"n":3})"));
}

TEST_F(QueryTest, OneNameMayStandInSeveralKeyspaces) {
  add("", "t", {.rows_of_part = 1});
  add("a", "t", {.rows_of_part = 2});
  add("b", "t", {.rows_of_part = 4});
  EXPECT_THAT(query("SELECT (SELECT count(*) FROM t) AS topic, (SELECT count(*) FROM a.t) AS a, "
                    "(SELECT count(*) FROM b.t) AS b"),
              ElementsAre(R"({"topic":1,"a":2,"b":4})"));
}

TEST_F(QueryTest, ErrorsKeepDuckDbsHints) {
  add("ks", "users", {});
  EXPECT_THAT(query("SELECT idd FROM ks.users"),
              ElementsAre(testing::AllOf(HasSubstr("Candidate bindings: \"id\""),
                                         HasSubstr("LINE 1"), HasSubstr("^"))));
  EXPECT_THAT(query("SELECT * FROM ks.user"), ElementsAre(HasSubstr("Did you mean \"users\"")));
}

}  // namespace
}  // namespace millrace::sql
