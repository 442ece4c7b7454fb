#include "table/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/base.h"
#include "sql/test_rows.h"
#include "table/cell.h"

namespace millrace::table {
namespace {

namespace fs = std::filesystem;
using schema::Kind;
using schema::Type;
using testing::ElementsAre;
using testing::HasSubstr;

class TableTest : public testing::Test {
 protected:
  TableTest()
      : folder_(fs::path(testing::TempDir()) / fmt::format("table_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kError) {
    reopen();
  }
  ~TableTest() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  void reopen() {
    store_.reset();
    auto store = store::Store::open(folder_.string(), logger_, {});
    ASSERT_TRUE(store) << store.error().message();
    store_ = *std::move(store);
  }

  static TableDefinition definition(schema::Columns columns,
                                    std::vector<std::string> key = {"id"}) {
    return {.keyspace = "ks",
            .name = "users",
            .columns = std::move(columns),
            .partition_key = std::move(key),
            .clustering_key = {},
            .topic = "created",
            .select = "SELECT * FROM created",
            .expectations = {{"some", "id > 0"}}};
  }
  store::TablePtr open(const TableDefinition& wanted) {
    auto table = open_table(*store_, wanted);
    if (!table) {
      ADD_FAILURE() << table.error().message();
      std::abort();
    }
    return *table;
  }

  // JSON records, in one batch whose records have these timestamps and the next offsets, as rows of
  // `table`.
  void upsert(const store::TablePtr& table, const schema::Columns& columns,
              const std::vector<std::string>& records, std::vector<int64_t> timestamps_ms = {}) {
    auto engine = sql::Engine::open({});
    auto transform =
        sql::Transform::prepare(**engine, {"input", columns, "SELECT * FROM input", {}});
    ASSERT_TRUE(transform) << transform.error().message;
    sql::PaddedTexts texts(records);
    timestamps_ms.resize(records.size(), 1'000);
    std::vector<store::WriteTime> times;
    for (int64_t timestamp_ms : timestamps_ms)
      times.push_back({timestamp_ms * 1'000, {.offset = next_}}), next_ = next_ + 1;
    store::Batch batch;
    RowWriter writer(table, transform->columns(), batch);
    writer.begin(times, 0);
    std::vector<sql::Failure> failures;
    auto counts = transform->run(texts.views(), writer, failures);
    ASSERT_TRUE(counts) << counts.error().message();
    for (const auto& failure : failures) ADD_FAILURE() << failure.error;
    ASSERT_TRUE(store_->commit(batch));
  }

  std::vector<std::string> query(const store::TablePtr& table, std::string_view sql) {
    std::shared_ptr<const sql::Relation> relation = std::make_shared<TableRelation>(*store_, table);
    sql::JsonAnswer answer;
    auto done = sql::run_query({.threads = 2}, sql, std::span(&relation, 1), answer);
    if (!done) return {done.error().message()};
    return answer.json;
  }

  fs::path folder_;
  Logger logger_;
  std::unique_ptr<store::Store> store_;
  Offset next_;  // of the records
};

Type list_of(Type element) {
  return {.kind = Kind::kList, .children = {{"element", std::move(element)}}};
}
Type map_to(Type value) {
  return {.kind = Kind::kMap, .children = {{"key", {}}, {"value", std::move(value)}}};
}
Type struct_of(schema::Columns fields) {
  return {.kind = Kind::kStruct, .children = std::move(fields)};
}
Type decimal(uint8_t precision, uint8_t scale) {
  return {.kind = Kind::kDecimal, .precision = precision, .scale = scale};
}

const schema::Columns kEveryType = {
    {"id", {.kind = Kind::kBigInt}},
    {"boolean", {.kind = Kind::kBoolean}},
    {"tiny", {.kind = Kind::kTinyInt}},
    {"small", {.kind = Kind::kSmallInt}},
    {"integer", {.kind = Kind::kInteger}},
    {"huge", {.kind = Kind::kHugeInt}},
    {"float", {.kind = Kind::kFloat}},
    {"double", {.kind = Kind::kDouble}},
    {"d4", decimal(4, 1)},
    {"d9", decimal(9, 0)},
    {"d18", decimal(18, 18)},
    {"d38", decimal(38, 2)},
    {"text", {}},
    {"blob", {.kind = Kind::kBlob}},
    {"uuid", {.kind = Kind::kUuid}},
    {"date", {.kind = Kind::kDate}},
    {"time", {.kind = Kind::kTime}},
    {"timestamp", {.kind = Kind::kTimestamp}},
    {"list", list_of(list_of({}))},
    {"map", map_to(list_of({.kind = Kind::kDouble}))},
    {"struct", struct_of({{"a", {.kind = Kind::kUuid}},
                          {"b", list_of(struct_of({{"c", {}}, {"d", decimal(10, 2)}}))}})},
};

const char* const kRows[] = {
    R"({"id":-9223372036854775808,"boolean":true,"tiny":-128,"small":-32768,"integer":-2147483648,)"
    R"("huge":-170141183460469231731687303715884105728,"float":-0.1,"double":5e-324,"d4":-999.9,)"
    R"("d9":-999999999,"d18":-0.999999999999999999,)"
    R"("d38":-999999999999999999999999999999999999.99,"text":"","blob":"",)"
    R"("uuid":"00000000-0000-0000-0000-000000000000","date":"0001-01-01","time":"00:00:00",)"
    R"("timestamp":"0001-01-01T00:00:00Z","list":[],"map":{},)"
    R"("struct":{"a":"ffffffff-ffff-ffff-ffff-ffffffffffff","b":[]}})",
    R"({"id":0,"boolean":false,"tiny":127,"small":32767,"integer":2147483647,)"
    R"("huge":170141183460469231731687303715884105727,"float":"NaN","double":"-Infinity",)"
    R"("d4":0.1,"d9":0,"d18":0.000000000000000001,"d38":0.00,)"
    R"("text":"Zoë \"😀\" \u0000 and more than twelve bytes","blob":"AP8BAv7/gH8AAAAAAAAA",)"
    R"("uuid":"5ff6da15-aac5-423b-adba-0123456789ab","date":"9999-12-31",)"
    R"("time":"23:59:59.999999","timestamp":"9999-12-31T23:59:59.999999Z",)"
    R"("list":[[],["a",null],null,["a text of more than twelve bytes"]],)"
    R"("map":{"":[],"k\"":null,"x":[1.5,null]},)"
    R"("struct":{"a":null,"b":[null,{"c":"","d":null},{"c":null,"d":-0.01}]}})",
    R"({"id":1,"boolean":null,"tiny":null,"small":null,"integer":null,"huge":null,"float":null,)"
    R"("double":null,"d4":null,"d9":null,"d18":null,"d38":null,"text":null,"blob":null,)"
    R"("uuid":null,"date":null,"time":null,"timestamp":null,"list":null,"map":null,)"
    R"("struct":null})",
    R"({"id":2,"boolean":null,"tiny":0,"small":-1,"integer":7,"huge":-1,"float":3.4028235e+38,)"
    R"("double":-0,"d4":-0.1,"d9":1,"d18":0.000000000000000000,"d38":-0.01,"text":"123456789012",)"
    R"("blob":"/w==","uuid":"80000000-0000-0000-0000-000000000000","date":"1969-12-31",)"
    R"("time":"12:00:00","timestamp":"1969-12-31T23:59:59.999999Z","list":[null],"map":{"a":[]},)"
    R"("struct":{"a":null,"b":null}})",
};

TEST_F(TableTest, ValuesOfEveryTypeComeBackAsTheyWere) {
  auto table = open(definition(kEveryType));
  upsert(table, kEveryType, {std::begin(kRows), std::end(kRows)});
  std::vector<std::string> rows(std::begin(kRows), std::end(kRows));
  EXPECT_EQ(query(table, "SELECT * FROM ks.users ORDER BY id"), rows);
  ASSERT_TRUE(store_->flush());
  reopen();
  EXPECT_EQ(query(store_->find_table("ks", "users"), "SELECT * FROM ks.users ORDER BY id"), rows);
}

TEST_F(TableTest, EveryPlainTypeMayBeTheKey) {
  for (const auto& column : kEveryType) {
    if (!column.type.children.empty() || column.name == "id") continue;
    SCOPED_TRACE(column.name);
    schema::Columns columns = {column, {"id", {.kind = Kind::kBigInt}}};
    auto wanted = definition(columns, {column.name});
    wanted.name = "by_" + column.name;
    auto table = open_table(*store_, wanted);
    ASSERT_TRUE(table) << table.error().message();
    std::vector<std::string> with_key(std::begin(kRows), std::end(kRows));
    std::erase_if(with_key, [&](const std::string& row) {
      // CQL has no empty partition key.
      auto quoted = fmt::format("\"{}\":", column.name);
      return row.find(quoted + "null") != row.npos || row.find(quoted + "\"\"") != row.npos;
    });
    upsert(*table, columns, with_key);
    auto sql =
        fmt::format("SELECT \"{}\" AS k, id FROM ks.by_{} ORDER BY id", column.name, column.name);
    auto rows = query(*table, sql);
    ASSERT_EQ(rows.size(), with_key.size());
    for (size_t i = 0; i < rows.size(); ++i)
      EXPECT_THAT(with_key[i], HasSubstr(rows[i].substr(5, rows[i].rfind(",\"id\"") - 5)));
  }
}

TEST_F(TableTest, ManyRowsAreReadByAllParts) {
  schema::Columns columns = {{"id", {.kind = Kind::kBigInt}}, {"name", {}}, {"tags", list_of({})}};
  auto table = open(definition(columns));
  std::vector<std::string> records;
  for (int i = 0; i < 30'000; ++i)
    records.push_back(
        fmt::format(R"({{"id":{0},"name":"name {0} of many bytes","tags":["t{0}"]}})", i));
  upsert(table, columns, records);
  EXPECT_THAT(query(table,
                    "SELECT count(*) AS n, count(DISTINCT id) AS ids, "
                    "bool_and(name = 'name ' || id || ' of many bytes' AND tags = ['t' || id]) AS "
                    "right FROM ks.users"),
              ElementsAre(R"({"n":30000,"ids":30000,"right":true})"));
  EXPECT_THAT(query(table, "SELECT count(*) AS n FROM ks.users"), ElementsAre(R"({"n":30000})"));
}

const schema::Columns kPeople = {
    {"id", {.kind = Kind::kBigInt}}, {"name", {}}, {"age", {.kind = Kind::kInteger}}};

TEST_F(TableTest, ANullLeavesTheOlderValue) {
  auto table = open(definition(kPeople));
  upsert(table, kPeople, {R"({"id":1,"name":"a","age":5})"}, {1'000});
  upsert(table, kPeople, {R"({"id":1,"name":null,"age":6})"}, {2'000});
  upsert(table, kPeople, {R"({"id":1})"}, {3'000});
  EXPECT_THAT(query(table, "SELECT * FROM ks.users"),
              ElementsAre(R"({"id":1,"name":"a","age":6})"));
}

TEST_F(TableTest, TheLaterRecordOfAKeyWins) {
  auto table = open(definition(kPeople));
  upsert(table, kPeople, {R"({"id":1,"name":"late"})"}, {5'000});
  upsert(table, kPeople, {R"({"id":1,"name":"early","age":1})"}, {4'000});
  EXPECT_THAT(query(table, "SELECT * FROM ks.users"),
              ElementsAre(R"({"id":1,"name":"late","age":1})"));
  // On a tie, and in one batch, that of the higher offset.
  upsert(table, kPeople, {R"({"id":1,"name":"tie"})"}, {5'000});
  upsert(
      table, kPeople,
      {R"({"id":2,"name":"x"})", R"({"id":2,"name":"y"})", R"({"id":3})", R"({"id":2,"age":9})"});
  EXPECT_THAT(query(table, "SELECT * FROM ks.users ORDER BY id"),
              ElementsAre(R"({"id":1,"name":"tie","age":1})", R"({"id":2,"name":"y","age":9})",
                          R"({"id":3,"name":null,"age":null})"));
  upsert(table, kPeople, {R"({"id":4,"name":"new"})", R"({"id":4,"name":"old"})"}, {9'000, 8'000});
  EXPECT_THAT(query(table, "SELECT name FROM ks.users WHERE id = 4"),
              ElementsAre(R"({"name":"new"})"));
}

TEST_F(TableTest, ColumnsOfTheRowsMayBeFewerAndInAnotherOrder) {
  auto table = open(definition(kPeople));
  upsert(table, {kPeople[2], kPeople[0]}, {R"({"id":1,"age":5})"});
  EXPECT_THAT(query(table, "SELECT * FROM ks.users"),
              ElementsAre(R"({"id":1,"name":null,"age":5})"));
}

TEST_F(TableTest, OpeningAddsColumnsAndRefusesOtherChanges) {
  auto wanted = definition(kPeople);
  upsert(open(wanted), kPeople, {R"({"id":1,"name":"a","age":5})"});
  wanted.columns.push_back({"email", {}});
  wanted.select = "SELECT *, 1 AS one FROM created";
  wanted.expectations = {{"other", "age > 1"}, {"more", "id > 1"}};
  auto table = open(wanted);
  EXPECT_THAT(query(table, "SELECT * FROM ks.users"),
              ElementsAre(R"({"id":1,"name":"a","age":5,"email":null})"));
  auto known = definition_of(*table);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->columns, wanted.columns);
  EXPECT_EQ(known->select, wanted.select);
  EXPECT_EQ(known->topic, "created");
  ASSERT_EQ(known->expectations.size(), 2U);
  EXPECT_EQ(known->expectations[1].sql, "id > 1");

  auto refused = [&](TableDefinition other, std::string_view words) {
    auto opened = open_table(*store_, other);
    ASSERT_FALSE(opened) << words;
    EXPECT_EQ(opened.error().code(), ErrorCode::kConflict);
    EXPECT_THAT(opened.error().message(), HasSubstr(words));
  };
  auto other = wanted;
  other.topic = "elsewhere";
  refused(other, "is fed by topic created, the pipeline file says elsewhere");
  other = wanted;
  other.columns[2].type.kind = Kind::kBigInt;
  refused(other, "'age'");
  other = wanted;
  other.columns.erase(other.columns.begin() + 1);
  refused(other, "name");
  other = wanted;
  other.partition_key = {"name"};
  refused(other, "key");
  other = wanted;
  other.clustering_key = {"age"};
  refused(other, "the clustering columns were ()");
  EXPECT_EQ(definition_of(*store_->find_table("ks", "users"))->topic, "created");
}

TEST_F(TableTest, MetadataThatCannotBeReadIsCorrupt) {
  for (const char* metadata : {"", "7", "{}", R"({"topic":1,"select":"","expectations":[]})",
                               R"({"topic":"t","select":"s","expectations":[7]})"}) {
    store::Table table(TableId(1), {.keyspace = "ks",
                                    .name = "t",
                                    .columns = kPeople,
                                    .partition_key = {"id"},
                                    .metadata = metadata});
    auto known = definition_of(table);
    ASSERT_FALSE(known) << metadata;
    EXPECT_EQ(known.error().code(), ErrorCode::kCorrupt);
    EXPECT_THAT(known.error().message(), HasSubstr("table ks.t"));
  }
}

TEST_F(TableTest, ACellOfTheWrongLengthIsCorrupt) {
  // A relation of one row that holds nothing but a cell.
  class Cell : public sql::Relation {
   public:
    Cell(Type type, std::string cell)
        : columns_({{"value", std::move(type)}}), cell_(std::move(cell)) {}
    const std::string& schema_name() const override { return none_; }
    const std::string& name() const override { return name_; }
    const schema::Columns& columns() const override { return columns_; }
    size_t part_count() const override { return 1; }
    Result<std::unique_ptr<sql::RelationScan>> open(std::span<const uint32_t>,
                                                    size_t) const override {
      struct Scan : sql::RelationScan {
        explicit Scan(const std::string& bytes) : cell(bytes) {}
        Result<size_t> fill(std::span<sql::VectorWriter> writers) override {
          if (std::exchange(done, true)) return 0;
          MR_TRY(from_cell(cell, writers[0], 0));
          return 1;
        }
        const std::string& cell;
        bool done = false;
      };
      return std::make_unique<Scan>(cell_);
    }

   private:
    std::string none_;
    std::string name_ = "cell";
    schema::Columns columns_;
    std::string cell_;
  };
  auto bytes = [](std::initializer_list<int> values) {
    std::string text;
    for (int value : values) text += static_cast<char>(value);
    return text;
  };
  const std::pair<Type, std::string> kBad[] = {
      {{.kind = Kind::kBoolean}, ""},
      {{.kind = Kind::kBoolean}, "ab"},
      {{.kind = Kind::kBigInt}, "1234567"},
      {{.kind = Kind::kBigInt}, "123456789"},
      {{.kind = Kind::kHugeInt}, "123456789012345"},
      {{.kind = Kind::kUuid}, "short"},
      {{.kind = Kind::kDouble}, "1234"},
      {decimal(9, 2), "123"},
      {list_of({}), bytes({0, 0, 0})},
      {list_of({}), bytes({0, 0, 0, 1})},
      {list_of({}), bytes({0, 0, 0, 1, 0, 0, 0, 9, 'x'})},
      {list_of({}), bytes({0, 0, 0, 1, 0, 0, 0, 1, 'x', 'y'})},
      {list_of({}), bytes({0x7f, 0xff, 0xff, 0xff})},
      {list_of({.kind = Kind::kBigInt}), bytes({0, 0, 0, 1, 0, 0, 0, 1, 'x'})},
      {map_to({}), bytes({0, 0, 0, 1, 0, 0, 0, 1, 'x'})},
      {struct_of({{"a", {}}, {"b", {}}}), bytes({0, 0, 0, 1, 'x'})},
  };
  for (const auto& [type, cell] : kBad) {
    std::shared_ptr<const sql::Relation> relation = std::make_shared<Cell>(type, cell);
    sql::JsonAnswer answer;
    auto done = sql::run_query({}, "SELECT value FROM cell", std::span(&relation, 1), answer);
    ASSERT_FALSE(done) << schema::to_sql(type) << " of " << cell.size() << " bytes";
    EXPECT_EQ(done.error().code(), ErrorCode::kCorrupt);
    EXPECT_THAT(done.error().message(), HasSubstr("bytes is no ")) << schema::to_sql(type);
  }
}

}  // namespace
}  // namespace millrace::table
