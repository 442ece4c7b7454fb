#include "topic/topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/base.h"
#include "sql/test_rows.h"

namespace millrace::topic {
namespace {

namespace fs = std::filesystem;
using schema::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::string_view kCursorHeader = "cursor";

class TopicTest : public testing::Test {
 protected:
  TopicTest()
      : folder_(fs::path(testing::TempDir()) / fmt::format("topic_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kError) {
    reopen();
  }
  ~TopicTest() override {
    log_.reset();
    fs::remove_all(folder_);
  }

  void reopen() {
    log_.reset();
    auto log = log::Log::open(folder_.string(), logger_);
    ASSERT_TRUE(log) << log.error().message();
    log_ = *std::move(log);
  }

  TopicDefinition definition(int32_t partitions, const std::string& key = "id",
                             std::string name = "users") {
    return {.name = std::move(name),
            .columns = {{"id", {.kind = Kind::kBigInt}}, {"name", {}}},
            .key = key.empty() ? std::vector<std::string>{} : std::vector{key},
            .partitions = partitions};
  }
  log::Topic& open(const TopicDefinition& definition) {
    auto topic = open_topic(*log_, definition);
    if (!topic) {
      ADD_FAILURE() << topic.error().message();
      std::abort();
    }
    return **topic;
  }

  // The rows of these records, as a page is written by a source.
  Result<void> put(PageWriter& writer, const std::vector<std::string>& records,
                   const std::string& select = "SELECT * FROM input") {
    auto engine = sql::Engine::open({});
    auto transform =
        sql::Transform::prepare(**engine, {"input", definition(1).columns, select, {}});
    EXPECT_TRUE(transform) << transform.error().message;
    sql::PaddedTexts texts(records);
    std::vector<sql::Failure> failures;
    writer.begin(1'234);
    auto counts = transform->run(texts.views(), writer, failures);
    EXPECT_TRUE(failures.empty());
    if (!counts) return std::unexpected(counts.error());
    return {};
  }
  Result<void> write_page(log::Topic& topic, const TopicDefinition& definition,
                          const std::vector<std::string>& records, std::string_view cursor) {
    PageWriter writer(topic, definition, definition.columns);
    MR_TRY(put(writer, records));
    return writer.append(kCursorHeader, cursor);
  }

  // "key value header=value …" of each record of a partition.
  std::vector<std::string> records(log::Topic& topic, int32_t partition) {
    Reader reader;
    auto views = reader.read(topic.partition(PartitionId(partition)), Offset(0));
    if (!views) return {views.error().message()};
    std::vector<std::string> texts;
    for (const auto& view : *views) {
      texts.push_back(fmt::format("{} {}", view.key.value_or("none"), view.value.value_or("none")));
      auto headers = record::headers_of(view);
      for (const auto& [key, value] : *headers)
        texts.back() += fmt::format(" {}={}", key, value.value_or("none"));
      EXPECT_EQ(view.timestamp_ms, 1'234);
    }
    return texts;
  }
  std::vector<int64_t> ends(log::Topic& topic) {
    std::vector<int64_t> result;
    for (int32_t i = 0; i < topic.partition_count(); ++i)
      result.push_back(topic.partition(PartitionId(i)).end_offset().value);
    return result;
  }

  fs::path folder_;
  Logger logger_;
  std::unique_ptr<log::Log> log_;
};

// From kafka-python's murmur2: (murmur2(key) & 0x7fffffff) % partitions.
TEST(PartitionOf, IsKafkasDefault) {
  struct Vector {
    std::string_view key;
    std::array<int32_t, 5> partitions;  // of 1, 2, 3, 12 and 1024
  };
  const Vector vectors[] = {
      {"", {0, 1, 0, 9, 217}},
      {"a", {0, 0, 1, 4, 636}},
      {"ab", {0, 0, 2, 2, 554}},
      {"abc", {0, 1, 0, 3, 539}},
      {"abcd", {0, 0, 2, 8, 500}},
      {"abcde", {0, 1, 1, 1, 733}},
      {"21", {0, 0, 0, 0, 236}},
      {"1234567", {0, 0, 0, 6, 198}},
      {"a-little-bit-long-string", {0, 0, 2, 8, 416}},
      {"a-little-bit-longer-string", {0, 1, 2, 11, 451}},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", {0, 1, 2, 5, 461}},
      {"5ff6da15-aac5-423b-adba-0123456789ab", {0, 1, 0, 3, 323}},
      {"Zoë", {0, 0, 1, 10, 798}},
      {"日本語", {0, 0, 1, 10, 970}},
      {"😀", {0, 1, 0, 9, 657}},
      {std::string_view("\0", 1), {0, 0, 2, 8, 956}},
      {"\xff\xfe\x80\x81\xf0", {0, 1, 1, 7, 311}},
  };
  constexpr std::array<int32_t, 5> kCounts = {1, 2, 3, 12, 1'024};
  for (const auto& [key, partitions] : vectors)
    for (size_t i = 0; i < kCounts.size(); ++i)
      EXPECT_EQ(partition_of(key, kCounts[i]).value, partitions[i]) << key << " of " << kCounts[i];
}

TEST_F(TopicTest, AKeyDecidesThePartitionAndKeepsItsOrder) {
  auto users = definition(3);
  auto& topic = open(users);
  std::vector<std::string> page;
  for (int i = 0; i < 30; ++i)
    page.push_back(fmt::format(R"({{"id":{},"name":"n{}"}})", i % 10, i));
  ASSERT_TRUE(write_page(topic, users, page, "1"));
  std::map<std::string, std::vector<std::string>> by_key;
  for (int32_t partition = 0; partition < 3; ++partition)
    for (const auto& text : records(topic, partition)) {
      std::string key = text.substr(0, text.find(' '));
      EXPECT_EQ(partition_of(key, 3).value, partition);
      by_key[key].push_back(text);
    }
  ASSERT_EQ(by_key.size(), 10U);
  EXPECT_THAT(by_key["7"], ElementsAre(HasSubstr(R"({"id":7,"name":"n7"})"), HasSubstr("n17"),
                                       HasSubstr("n27")));
}

TEST_F(TopicTest, TheCursorIsOnTheLastRecordOfEachPartition) {
  auto users = definition(2);
  auto& topic = open(users);
  ASSERT_TRUE(write_page(topic, users, {R"({"id":1})", R"({"id":2})", R"({"id":3})"}, "c7"));
  ASSERT_TRUE(write_page(topic, users, {R"({"id":1,"name":"again"})"}, "c8"));
  std::vector<std::string> all;
  for (int32_t partition = 0; partition < 2; ++partition) {
    auto texts = records(topic, partition);
    all.insert(all.end(), texts.begin(), texts.end());
  }
  EXPECT_EQ(std::ranges::count_if(all, [](auto& t) { return t.find("cursor=c7") != t.npos; }), 2);
  EXPECT_EQ(std::ranges::count_if(
                all, [](auto& t) { return t.find("millrace.page.partitions=2") != t.npos; }),
            2);
  EXPECT_THAT(
      all, testing::Contains(R"(1 {"id":1,"name":"again"} cursor=c8 millrace.page.partitions=1)"));
  auto last = find_last_with_header(topic.partition(partition_of("1", 2)), kCursorHeader);
  ASSERT_TRUE(last && *last);
  EXPECT_EQ((*last)->value(kCursorHeader), "c8");
  EXPECT_EQ((*last)->value("nothing"), "");
}

TEST_F(TopicTest, RowsWithoutAKeyAreSpread) {
  for (std::string key : {"", "name"}) {
    auto users = definition(3, key, "spread" + key);
    auto& topic = open(users);
    std::vector<std::string> page(9, R"({"id":1})");
    ASSERT_TRUE(write_page(topic, users, page, "1"));
    EXPECT_THAT(ends(topic), ElementsAre(3, 3, 3));
    EXPECT_TRUE(records(topic, 0)[0].starts_with("none {"));
  }
}

TEST_F(TopicTest, APageWithoutRowsWritesNothing) {
  auto users = definition(2);
  auto& topic = open(users);
  ASSERT_TRUE(write_page(topic, users, {}, "1"));
  EXPECT_THAT(ends(topic), ElementsAre(0, 0));
  PageWriter writer(topic, users, users.columns);
  ASSERT_TRUE(put(writer, {R"({"id":1})", R"({"id":2})"}, "SELECT * FROM input WHERE id > 5"));
  EXPECT_EQ(writer.row_count(), 0U);
  ASSERT_TRUE(writer.append(kCursorHeader, "1"));
  EXPECT_THAT(ends(topic), ElementsAre(0, 0));
}

TEST_F(TopicTest, TheLargestTimestampNeedNotBeTheLastRecords) {
  auto users = definition(2);
  auto& topic = open(users);
  EXPECT_EQ(last_timestamp_ms(topic), 0);
  for (int64_t timestamp_ms : {100, 40}) {
    record::BatchBuilder batch;
    batch.append(timestamp_ms, std::nullopt, "{}");
    ASSERT_TRUE(topic.partition(PartitionId(1)).append(batch.finish()));
  }
  EXPECT_EQ(last_timestamp_ms(topic), 100);
}

TEST_F(TopicTest, RecordsThatAreTooLargeAreNamed) {
  auto users = definition(2, "name");
  auto& topic = open(users);
  PageWriter writer(topic, users, users.columns);
  std::string small = R"({"id":1,"name":"b"})";
  auto row_of = [](size_t bytes) {
    return fmt::format(R"({{"id":1,"name":"{}"}})", std::string(bytes, 'x'));
  };
  ASSERT_TRUE(put(writer, {small, row_of(limits::kRecordBytesMax), small}));
  EXPECT_THAT(writer.too_large(), ElementsAre(1));
  // Its key is long too, and counts.
  ASSERT_TRUE(put(writer, {small, small, row_of(limits::kRecordBytesMax - 50)}));
  EXPECT_THAT(writer.too_large(), ElementsAre(2));
  EXPECT_THAT(ends(topic), ElementsAre(0, 0));
  // The writer goes on with the next page.
  ASSERT_TRUE(put(writer, {row_of(size_t{7} << 20), small}));
  ASSERT_TRUE(writer.append(kCursorHeader, "1"));
  EXPECT_EQ(ends(topic)[0] + ends(topic)[1], 2);
}

TEST_F(TopicTest, LongKeysCountInABatch) {
  auto users = definition(1, "name");
  auto& topic = open(users);
  // Key and value of each, together, are just not too large for a record.
  std::string name((limits::kRecordBytesMax - 100) / 2, 'x');
  std::vector<std::string> page(3, fmt::format(R"({{"id":1,"name":"{}"}})", name));
  auto written = write_page(topic, users, page, std::string(1'000, 'c'));
  ASSERT_TRUE(written) << written.error().message();
  EXPECT_THAT(ends(topic), ElementsAre(3));
}

Result<int64_t> number_of(std::string_view text) {
  return std::stoll(std::string(text));
}

TEST_F(TopicTest, APageOfSeveralBatchesIsTakenBackWhole) {
  auto users = definition(1);
  auto number_of = [](std::string_view) -> Result<int64_t> { return 1; };
  auto big = fmt::format(R"({{"id":1,"name":"{}"}})", std::string(size_t{3} << 20, 'x'));
  ASSERT_TRUE(write_page(open(users), users, {R"({"id":0})"}, "1"));
  ASSERT_TRUE(write_page(open(users), users, std::vector<std::string>(20, big), "2"));
  auto& partition = open(users).partition(PartitionId(0));
  ASSERT_EQ(partition.end_offset(), Offset(21));
  // Whole, it stays.
  ASSERT_TRUE(recover_page(open(users), kCursorHeader, number_of));
  ASSERT_EQ(partition.end_offset(), Offset(21));
  auto last = *find_last_with_header(partition, kCursorHeader);
  EXPECT_EQ(last->value(kCursorHeader), "2");
  EXPECT_GT(last->batch_start, Offset(10));
  // As if a crash had kept the last batch from the disk.
  ASSERT_TRUE(partition.truncate(last->batch_start));
  ASSERT_TRUE(recover_page(open(users), kCursorHeader, number_of));
  EXPECT_EQ(partition.end_offset(), Offset(1));
  EXPECT_EQ((*find_last_with_header(partition, kCursorHeader))->value(kCursorHeader), "1");
}

TEST_F(TopicTest, AHalfWrittenPageIsTakenBackFromEveryPartition) {
  auto users = definition(3);
  std::vector<std::string> page;
  for (int i = 0; i < 12; ++i) page.push_back(fmt::format(R"({{"id":{}}})", i));
  for (uint32_t reached = 0; reached < 8; ++reached) {
    SCOPED_TRACE(reached);
    users.name = fmt::format("t{}", reached);
    auto& topic = open(users);
    ASSERT_TRUE(write_page(topic, users, page, "1"));
    auto first_page = ends(topic);
    ASSERT_THAT(first_page, testing::Each(testing::Gt(0)));
    ASSERT_TRUE(write_page(topic, users, page, "2"));
    // As a crash leaves it that came before the other partitions were on disk.
    for (int32_t i = 0; i < 3; ++i) {
      if ((reached >> i & 1) != 0) continue;
      Offset end(first_page[static_cast<size_t>(i)]);
      ASSERT_TRUE(topic.partition(PartitionId(i)).truncate(end));
    }
    auto before = ends(topic);
    auto recovered = recover_page(topic, kCursorHeader, number_of);
    ASSERT_TRUE(recovered) << recovered.error().message();
    EXPECT_EQ(ends(topic), reached == 7 ? before : first_page);
    ASSERT_TRUE(recover_page(topic, kCursorHeader, number_of));
    EXPECT_EQ(ends(topic), reached == 7 ? before : first_page);
  }
}

TEST_F(TopicTest, APageOfSomePartitionsIsWholeWithThem) {
  auto users = definition(3);
  auto& topic = open(users);
  ASSERT_TRUE(recover_page(topic, kCursorHeader, number_of));  // nothing there yet
  ASSERT_TRUE(write_page(topic, users, {R"({"id":1})"}, "9"));
  ASSERT_TRUE(write_page(topic, users, {R"({"id":1})", R"({"id":2})"}, "10"));
  auto before = ends(topic);
  reopen();
  auto& again = open(users);
  ASSERT_TRUE(recover_page(again, kCursorHeader, number_of));
  EXPECT_EQ(ends(again), before);
  auto refused = recover_page(again, kCursorHeader, [](std::string_view) -> Result<int64_t> {
    return fail(ErrorCode::kCorrupt, "no cursor");
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "no cursor");
}

TEST_F(TopicTest, AReaderTakesALimitedBatchAndGoesOnInIt) {
  auto& topic = open(definition(1));
  auto& partition = topic.partition(PartitionId(0));
  constexpr size_t kRecords = limits::kBatchRecords + 100;
  record::BatchBuilder batch;
  for (size_t i = 0; i < kRecords; ++i) batch.append(1, std::nullopt, std::to_string(i));
  ASSERT_TRUE(partition.append(batch.finish()));
  Reader reader;
  auto first = reader.read(partition, Offset(0));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), limits::kBatchRecords);
  EXPECT_EQ(reader.values().size(), limits::kBatchRecords);
  auto rest = reader.read(partition, Offset(limits::kBatchRecords));
  ASSERT_TRUE(rest);
  ASSERT_EQ(rest->size(), 100U);
  EXPECT_EQ(rest->front().offset, Offset(limits::kBatchRecords));
  EXPECT_EQ(*reader.values().back(), std::to_string(kRecords - 1));
  EXPECT_THAT(*reader.read(partition, Offset(kRecords)), IsEmpty());
  EXPECT_THAT(reader.values(), IsEmpty());
  auto past = reader.read(partition, Offset(kRecords + 1));
  ASSERT_FALSE(past);
  EXPECT_EQ(past.error().code(), ErrorCode::kNotFound);
}

class TopicQueryTest : public TopicTest {
 protected:
  static void append(log::Topic& topic, int32_t partition,
                     const std::vector<std::optional<std::string>>& values) {
    record::BatchBuilder batch;
    for (const auto& value : values) batch.append(1, "k", value);
    ASSERT_TRUE(topic.partition(PartitionId(partition)).append(batch.finish()));
  }
  static std::vector<std::string> query(std::shared_ptr<const sql::Relation> relation,
                                        std::string_view sql) {
    sql::JsonAnswer answer;
    auto done = sql::run_query({.threads = 2}, sql, std::span(&relation, 1), answer);
    if (!done) return {done.error().message()};
    return answer.json;
  }
};

TEST_F(TopicQueryTest, RecordsThatCannotBeDecodedAreCountedAndMakeNoRow) {
  auto users = definition(2);
  auto& topic = open(users);
  append(topic, 0, {R"({"id":1,"name":"a"})", std::nullopt, "nonsense", R"({"id":"x"})"});
  append(topic, 1, {R"({"id":2,"name":"of more than twelve bytes"})", R"({"id":3,"name":4})"});
  auto relation = std::make_shared<TopicRelation>(topic, users);
  EXPECT_THAT(query(relation, "SELECT * FROM users"),
              UnorderedElementsAre(R"({"id":1,"name":"a"})",
                                   R"({"id":2,"name":"of more than twelve bytes"})"));
  EXPECT_EQ(relation->undecodable(), 3);
  EXPECT_THAT(query(relation, "SELECT id FROM users"),
              UnorderedElementsAre(R"({"id":1})", R"({"id":2})", R"({"id":3})"));
  EXPECT_EQ(relation->undecodable(), 5);
}

TEST_F(TopicQueryTest, ManyBatchesAreReadToTheEnd) {
  auto users = definition(2);
  auto& topic = open(users);
  constexpr int kBatches = 30;
  for (int i = 0; i < kBatches; ++i) {
    std::vector<std::optional<std::string>> values;
    for (int j = 0; j < 1'000; ++j)
      values.push_back(fmt::format(R"({{"id":{},"name":"name {} of many bytes"}})", i * 1'000 + j,
                                   i * 1'000 + j));
    append(topic, i % 2, values);
  }
  auto relation = std::make_shared<TopicRelation>(topic, users);
  EXPECT_THAT(
      query(relation,
            "SELECT count(*) AS n, count(DISTINCT id) AS ids, count(DISTINCT name) AS names, "
            "bool_and(name = 'name ' || id || ' of many bytes') AS right FROM users"),
      ElementsAre(R"({"n":30000,"ids":30000,"names":30000,"right":true})"));
  EXPECT_EQ(query(relation, "SELECT name FROM users").size(), 30'000U);
}

TEST_F(TopicTest, OpeningTakesNewColumnsAndRefusesAnotherKeyOrPartitionCount) {
  auto users = definition(2);
  open(users);
  reopen();
  users.columns[1].type.kind = Kind::kDouble;
  users.columns.push_back({"email", {}});
  auto& topic = open(users);
  auto known = definition_of(topic);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->columns, users.columns);
  EXPECT_THAT(known->key, ElementsAre("id"));
  EXPECT_EQ(known->partitions, 2);
  auto wider = open_topic(*log_, definition(3));
  ASSERT_FALSE(wider);
  EXPECT_EQ(wider.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(wider.error().message(), HasSubstr("has 2 partitions, the pipeline file says 3"));
  auto rekeyed = open_topic(*log_, definition(2, "name"));
  ASSERT_FALSE(rekeyed);
  EXPECT_EQ(rekeyed.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(rekeyed.error().message(), HasSubstr("has the key 'id', the pipeline file says"));
  EXPECT_EQ(definition_of(topic)->columns.size(), 3U);
  EXPECT_FALSE(open_topic(*log_, definition(1, "", "no/name")));
}

TEST_F(TopicTest, MetadataThatCannotBeReadIsCorrupt) {
  auto& topic = open(definition(1));
  for (const char* metadata : {"", "{}", "[]", "7", R"({"columns":[],"key":7})",
                               R"({"columns":[{"name":"x","type":"nope"}],"key":""})"}) {
    if (!topic.set_metadata(metadata)) continue;  // not even JSON
    auto known = definition_of(topic);
    ASSERT_FALSE(known) << metadata;
    EXPECT_EQ(known.error().code(), ErrorCode::kCorrupt) << metadata;
    EXPECT_THAT(known.error().message(), HasSubstr("topic users")) << metadata;
  }
}

}  // namespace
}  // namespace millrace::topic
