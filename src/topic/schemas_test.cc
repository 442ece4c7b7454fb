// Topics whose values are Avro.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/base.h"
#include "sql/test_rows.h"
#include "topic/topic.h"

namespace millrace::topic {
namespace {

namespace fs = std::filesystem;
using schema::Kind;
using testing::ElementsAre;
using testing::HasSubstr;

class SchemasTest : public testing::Test {
 protected:
  SchemasTest()
      : folder_(fs::path(testing::TempDir()) / fmt::format("schemas_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kError) {
    reopen();
  }
  ~SchemasTest() override {
    log_.reset();
    fs::remove_all(folder_);
  }

  void reopen() {
    log_.reset();
    auto log = log::Log::open(folder_.string(), logger_);
    ASSERT_TRUE(log) << log.error().message();
    log_ = *std::move(log);
  }

  static TopicDefinition avro(schema::Columns columns) {
    return {.name = "users",
            .columns = std::move(columns),
            .key = {"id"},
            .avro = std::make_shared<sql::AvroSchemas>()};
  }
  log::Topic& open(const TopicDefinition& definition) {
    auto topic = open_topic(*log_, definition);
    if (!topic) {
      ADD_FAILURE() << topic.error().message();
      std::abort();
    }
    return **topic;
  }
  // One page with the rows of these JSON records.
  static void write(log::Topic& topic, const TopicDefinition& definition,
                    const std::vector<std::string>& records) {
    sql::Chunk chunk(definition.columns);
    auto decoder = sql::make_decoder(chunk.columns(), nullptr);
    sql::PaddedTexts texts(records);
    decoder->begin(chunk.begin());
    for (size_t i = 0; i < records.size(); ++i)
      ASSERT_TRUE(decoder->decode(*texts.views()[i], i)) << decoder->error();
    PageWriter writer(topic, definition, definition.columns);
    writer.begin(1'234);
    const std::vector<int32_t> record_of(records.size());
    const std::vector<uint8_t> keep(records.size(), 1);
    ASSERT_TRUE(writer.rows(chunk.finish(records.size()), record_of, keep));
    ASSERT_TRUE(writer.append("cursor", "1"));
  }
  // The topic's values, as they are and for people.
  static std::vector<std::string> values(log::Topic& topic) {
    Reader reader;
    std::vector<std::string> found;
    auto records = reader.read(topic.partition(PartitionId(0)), Offset(0));
    for (const auto& record : *records) found.emplace_back(*record.value);
    return found;
  }
  static std::vector<std::string> texts(log::Topic& topic) {
    ValueText text(*definition_of(topic));
    std::vector<std::string> found;
    for (const auto& value : values(topic)) found.push_back(text.of(value));
    return found;
  }

  fs::path folder_;
  Logger logger_;
  std::unique_ptr<log::Log> log_;
};

const schema::Columns kColumns = {{"id", {.kind = Kind::kInteger}}, {"name", {}}};

TEST_F(SchemasTest, AValueBeginsWithTheIdOfASchemaInTheTopicsFolder) {
  auto definition = avro(kColumns);
  auto& topic = open(definition);
  EXPECT_EQ(definition.avro->written_id(), 1);
  EXPECT_TRUE(fs::exists(folder_ / "users/schemas/1.avsc"));
  write(topic, definition, {R"({"id":-1,"name":"Zoë"})", R"({"id":2})"});
  EXPECT_EQ(values(topic)[0], std::string("\0\0\0\0\1\2\1\2\x08Zo\xc3\xab", 13));
  EXPECT_THAT(texts(topic), ElementsAre(R"({"id":-1,"name":"Zoë"})", R"({"id":2,"name":null})"));
}

TEST_F(SchemasTest, OldRecordsStayReadableAfterTheColumnsChanged) {
  auto before = avro(kColumns);
  write(open(before), before, {R"({"id":1,"name":"a"})"});
  reopen();
  auto after = avro({{"id", {.kind = Kind::kBigInt}}, {"email", {}}, {"name", {}}});
  write(open(after), after, {R"({"id":9000000000,"email":"e","name":"b"})"});
  EXPECT_EQ(after.avro->written_id(), 2);
  reopen();
  auto again = avro(after.columns);
  auto& topic = open(again);
  EXPECT_EQ(again.avro->written_id(), 2);
  EXPECT_THAT(texts(topic), ElementsAre(R"({"id":1,"email":null,"name":"a"})",
                                        R"({"id":9000000000,"email":"e","name":"b"})"));
  // The first columns again have their first schema.
  auto back = avro(kColumns);
  open(back);
  EXPECT_EQ(back.avro->written_id(), 1);
  EXPECT_EQ(texts(topic)[0], R"({"id":1,"name":"a"})");

  sql::JsonAnswer answer;
  auto now = avro(after.columns);
  open(now);
  auto relation = std::make_shared<TopicRelation>(topic, *definition_of(topic));
  const std::shared_ptr<const sql::Relation> relations[] = {relation};
  ASSERT_TRUE(sql::run_query({}, "SELECT id, email FROM users ORDER BY id", relations, answer));
  EXPECT_THAT(answer.json,
              ElementsAre(R"({"id":1,"email":null})", R"({"id":9000000000,"email":"e"})"));
  EXPECT_EQ(relation->undecodable(), 0);
}

TEST_F(SchemasTest, AnotherFormatIsRefused) {
  open(avro(kColumns));
  auto refused = open_topic(*log_, {.name = "users", .columns = kColumns, .key = {"id"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
  EXPECT_THAT(refused.error().message(),
              HasSubstr("has values in the format avro, the pipeline file says json"));
}

TEST_F(SchemasTest, ADamagedSchemaIsReportedAndOtherFilesArePassedOver) {
  open(avro(kColumns));
  auto& topic = *log_->find_topic("users");
  ASSERT_TRUE(topic.write_file("schemas", "notes.txt", "x"));
  EXPECT_TRUE(definition_of(topic));
  ASSERT_TRUE(topic.write_file("schemas", "2.avsc", "{"));
  auto damaged = definition_of(topic);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(damaged.error().message(), "schema 2 of topic users: an Avro schema that is no JSON");
}

}  // namespace
}  // namespace millrace::topic
