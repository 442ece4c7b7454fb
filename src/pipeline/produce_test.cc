#include "pipeline/produce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/base.h"
#include "io/io.h"
#include "pipeline/pipeline.h"
#include "sql/json_split.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr int64_t kItems = 50;

class ProduceTest : public testing::Test {
 protected:
  ProduceTest()
      : folder_(fs::path(testing::TempDir()) / fmt::format("produce_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kError) {
    fs::create_directories(folder_);
    write("user.schema.json", R"({"type": "object", "properties": {
      "login": {"type": "object", "properties": {"uuid": {"type": "string", "format": "uuid"}}},
      "nat": {"type": "string"}}})");
    write("person.schema.json", R"({"type": "object", "properties": {
      "id": {"type": "string", "format": "uuid"}, "nat": {"type": "string"}}})");
  }
  ~ProduceTest() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  // A file whose topic `people` a source feeds, or nobody.
  void write_pipeline(bool has_source) {
    std::string source = R"(sources:
  users:
    http: {url: "sample://randomuser/api/?results=50&seed=s"}
    items: results
    schema: user.schema.json
    to: people
    select: SELECT login.uuid AS id, nat FROM users
)";
    write("p.yaml",
          fmt::format(R"(name: people
{}topics:
  people: {{key: id, partitions: 3{}}}
tables:
  ks.people:
    primary_key: id
    from: SELECT * FROM people
)",
                      has_source ? source : "", has_source ? "" : ", schema: person.schema.json"));
  }

  std::unique_ptr<Instance> open() {
    auto instance =
        Instance::open({.data_dir = folder_ / "data", .segment_bytes = 4'096}, logger_, clock_);
    EXPECT_TRUE(instance) << instance.error().message();
    return *std::move(instance);
  }

  Status run_once() {
    auto instance = open();
    auto loaded = spec::load(folder_ / "p.yaml", spec::process_variables());
    EXPECT_TRUE(loaded && loaded->ok());
    auto started = instance->start(loaded->pipeline, true);
    EXPECT_TRUE(started) << started.error().message();
    EXPECT_TRUE(instance->wait_until_finished({}));
    auto status = instance->status();
    EXPECT_TRUE(status.tables.at(0).balanced());
    EXPECT_TRUE(instance->stop());
    return status;
  }

  static Result<Produced> put(Instance& instance, std::string text, bool are_tombstones = false) {
    size_t size = text.size();
    text.append(sql::kJsonPadding, '\0');
    return produce(instance, "people",
                   {.text = std::string_view(text).substr(0, size),
                    .first = 1,
                    .are_tombstones = are_tombstones});
  }
  static std::string line(int number) {
    return fmt::format(R"({{"id":"00000000-0000-4000-8000-{:012}","nat":"XX"}})", number) + "\n";
  }
  static std::string lines(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += line(i);
    return text;
  }
  static log::Topic& people(Instance& instance) { return *instance.log().find_topic("people"); }
  static std::vector<int64_t> ends(Instance& instance) {
    std::vector<int64_t> result;
    for (int32_t i = 0; i < 3; ++i)
      result.push_back(people(instance).partition(PartitionId(i)).end_offset().value);
    return result;
  }

  fs::path folder_;
  Logger logger_;
  io::ManualClock clock_{1'700'000'000'000'000};
};

TEST_F(ProduceTest, LinesBecomeRecordsAndRows) {
  write_pipeline(true);
  EXPECT_EQ(run_once().tables.at(0).written, kItems);
  {
    auto instance = open();
    auto before = ends(*instance);
    auto produced = put(*instance, lines(30) + "\n \t\r\n" + line(30));
    ASSERT_TRUE(produced) << produced.error().message();
    EXPECT_EQ(produced->records, 31);
    ASSERT_EQ(produced->partitions.size(), 3U);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(produced->partitions[i].partition, PartitionId(static_cast<int32_t>(i)));
      EXPECT_EQ(produced->partitions[i].first, Offset(before[i]));
      EXPECT_EQ(produced->partitions[i].end, Offset(ends(*instance)[i]));
    }
    EXPECT_EQ(put(*instance, " \n\n")->records, 0);
  }
  EXPECT_EQ(run_once().tables.at(0).written, 2 * kItems + 31);
  auto erased = put(*open(), line(7) + line(8), true);
  ASSERT_TRUE(erased) << erased.error().message();
  EXPECT_EQ(erased->records, 2);
  EXPECT_EQ(run_once().tables.at(0).written, 3 * kItems + 33);
  auto instance = open();
  std::vector<std::string> keys;
  auto all = records(*instance, "people", {.limit = 1'000});
  ASSERT_TRUE(all);
  for (const auto& record : *all)
    if (!record.value) keys.push_back(record.key.value_or(""));
  EXPECT_THAT(keys, UnorderedElementsAre("00000000-0000-4000-8000-000000000007",
                                         "00000000-0000-4000-8000-000000000008"));
}

TEST_F(ProduceTest, WhatIsWrongIsNamedAndNothingIsAppended) {
  write_pipeline(false);
  run_once();
  auto instance = open();
  auto refused = [&](const std::string& bad, bool are_tombstones = false) {
    auto produced = put(*instance, line(1) + "\n" + bad + "\n" + line(2), are_tombstones);
    EXPECT_FALSE(produced) << bad;
    EXPECT_EQ(produced.error().code(), ErrorCode::kInvalid);
    return produced ? "" : produced.error().message();
  };
  EXPECT_THAT(refused("{"), HasSubstr("line 3: bad JSON"));
  EXPECT_EQ(refused("{}"), "line 3: id: required, but missing");
  EXPECT_THAT(refused(R"({"id":1})"), HasSubstr("line 3: id: expected UUID, got a number 1"));
  EXPECT_THAT(refused(R"({"id":null})"), HasSubstr("line 3: id: expected UUID, got null"));
  auto id = R"("id":"00000000-0000-4000-8000-000000000001")";
  EXPECT_EQ(refused(fmt::format(R"({{{},"nta":"XX"}})", id)),
            "line 3: there is no 'nta'; did you mean 'nat'?");
  EXPECT_EQ(refused(fmt::format(R"({{"n\"\\":"XX",{}}})", id)), R"(line 3: there is no 'n\"\\')");
  EXPECT_EQ(refused(R"({"nat":"XX"})", true), "line 3: id: required, but missing");
  EXPECT_THAT(ends(*instance), ElementsAre(0, 0, 0));
  auto unknown = produce(*instance, "peple", {.text = ""});
  EXPECT_THAT(unknown.error().message(), HasSubstr("did you mean 'people'?"));
}

TEST_F(ProduceTest, ASourceGoesOnWhereItWas) {
  write_pipeline(true);
  run_once();
  {
    auto instance = open();
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(put(*instance, line(i)));
    // Retention takes the source's own page, but never the newest segment.
    for (int32_t i = 0; i < 3; ++i) {
      auto& partition = people(*instance).partition(PartitionId(i));
      ASSERT_TRUE(partition.remove_before(partition.end_offset()));
      ASSERT_GT(partition.start_offset(), Offset(kItems));
    }
    auto source = instance->status().sources.at(0);
    EXPECT_EQ(source.items, kItems);
    EXPECT_EQ(source.records, kItems);
  }
  // The API answers the same again, as it has no pages: the source knows how much it has taken.
  EXPECT_EQ(run_once().sources.at(0).items, 2 * kItems);
}

TEST_F(ProduceTest, ASourceMayComeToATopicThatHandsFilled) {
  write_pipeline(false);
  EXPECT_TRUE(run_once().sources.empty());
  ASSERT_TRUE(put(*open(), lines(10)));
  EXPECT_EQ(run_once().tables.at(0).written, 10);
  EXPECT_TRUE(open()->status().sources.empty());
  write_pipeline(true);
  auto status = run_once();
  EXPECT_EQ(status.tables.at(0).written, 10 + kItems);
  EXPECT_EQ(status.sources.at(0).records, kItems);
  ASSERT_TRUE(put(*open(), lines(10)));
  EXPECT_EQ(open()->status().sources.at(0).name, "users");
}

TEST_F(ProduceTest, WhatReachedOnlySomePartitionsIsTakenBack) {
  for (bool has_source : {false, true}) {
    SCOPED_TRACE(has_source);
    fs::remove_all(folder_ / "data");
    write_pipeline(has_source);
    run_once();
    std::vector<int64_t> before;
    {
      auto instance = open();
      ASSERT_TRUE(put(*instance, lines(30)));
      before = ends(*instance);
      ASSERT_TRUE(put(*instance, lines(30)));
      // As a crash leaves it that came before the last partition was on disk.
      auto& last = people(*instance).partition(PartitionId(2));
      ASSERT_TRUE(last.truncate(Offset(before[2])));
    }
    EXPECT_EQ(ends(*open()), before);
    EXPECT_EQ(run_once().tables.at(0).waiting, 0);
  }
}

}  // namespace
}  // namespace millrace::pipeline
