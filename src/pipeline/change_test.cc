// Another file while a pipeline runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/uuid.h"
#include "io/io.h"
#include "pipeline/pipeline.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kPipeline = R"(name: users
sources:
  users:
    http: {url: "sample://randomuser/api/?results=50&seed=s", every: 0ms, page: {}}
    items: results
    schema: user.schema.json
    to: created
    select: SELECT login.uuid AS id, nat FROM users
topics:
  created: {key: id}
tables:
  ks.users:
    primary_key: id
    from: SELECT * FROM created
    expect: {rule: nat <> 'DE'}
)";
constexpr std::string_view kOther = R"(  ks.other:
    primary_key: id
    from: SELECT id FROM created
)";

class ChangeTest : public testing::Test {
 protected:
  ChangeTest()
      : folder_(fs::path(testing::TempDir()) / fmt::format("change_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kWarning, [](std::string_view) {}) {
    fs::create_directories(folder_);
    std::ofstream(folder_ / "user.schema.json") << R"({"type": "object", "properties": {
      "login": {"type": "object", "properties": {"uuid": {"type": "string", "format": "uuid"}}},
      "nat": {"type": "string"}}})";
    auto opened = Instance::open({.data_dir = (folder_ / "data").string()}, logger_, clock_);
    EXPECT_TRUE(opened);
    instance_ = *std::move(opened);
  }
  ~ChangeTest() override {
    instance_.reset();
    fs::remove_all(folder_);
  }

  static std::string with(const std::string& from, const std::string& to) {
    std::string text(kPipeline);
    auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  spec::Pipeline load(std::string_view text) {
    auto path = (folder_ / "p.yaml").string();
    std::ofstream(path) << text;
    auto loaded = spec::load(path, spec::process_variables());
    EXPECT_TRUE(loaded && loaded->ok());
    for (const auto& problem : loaded->problems) ADD_FAILURE() << problem.message;
    return loaded->pipeline;
  }

  void start(std::string_view text = kPipeline) {
    auto started = instance_->start(load(text), false);
    ASSERT_TRUE(started) << started.error().message();
    wait_for_rows(1);
  }

  Changes change(std::string_view text) {
    auto changes = instance_->change(load(text));
    EXPECT_TRUE(changes) << changes.error().message();
    return changes.value_or(Changes{});
  }

  std::string refused(std::string_view text) {
    auto changes = instance_->change(load(text));
    return changes ? "taken" : changes.error().message();
  }

  TableStatus table(const std::string& name = "ks.users") {
    auto status = instance_->status();
    for (auto& one : status.tables)
      if (one.name == name) return one;
    return {};
  }

  // Until the table has so many rows more.
  void wait_for_rows(int64_t more, const std::string& name = "ks.users") {
    for (auto wanted = table(name).written + more; table(name).written < wanted;)
      clock_.wait(std::chrono::milliseconds(1), {});
  }

  // Each user of the pages that came is in the topic once, and all are accounted for.
  void stop_and_check() {
    ASSERT_TRUE(instance_->stop(std::chrono::seconds(60)));
    auto status = instance_->status();
    ASSERT_EQ(status.sources.size(), 1u);
    EXPECT_EQ(status.sources[0].items, 50 * status.sources[0].pages);
    EXPECT_EQ(status.sources[0].records, status.sources[0].items);
    for (const auto& one : status.tables) {
      EXPECT_TRUE(one.balanced()) << one.name;
      EXPECT_EQ(one.records_in, status.sources[0].records);
      EXPECT_EQ(one.waiting, 0);
    }
  }

  fs::path folder_;
  Logger logger_;
  io::SystemClock clock_;
  std::unique_ptr<Instance> instance_;
};

TEST_F(ChangeTest, OnlyWhatDiffersIsRestarted) {
  start();
  auto changes = change(kPipeline);
  EXPECT_EQ(changes.unchanged, 2u);
  EXPECT_THAT(changes.restarted, IsEmpty());

  changes = change(with("nat <> 'DE'", "nat <> 'FR'"));
  EXPECT_EQ(changes.unchanged, 1u);
  EXPECT_THAT(changes.restarted, ElementsAre("ks.users"));

  changes = change(with("results=50", "results=50&nat=de,fr,gb"));
  EXPECT_THAT(changes.restarted, ElementsAre("users", "ks.users"));

  changes = change(with("{key: id}", "{key: id, retention: 7d}"));
  EXPECT_THAT(changes.restarted, ElementsAre("users"));
  changes = change(kPipeline);
  EXPECT_EQ(changes.unchanged, 2u);
  wait_for_rows(100);
  stop_and_check();
}

TEST_F(ChangeTest, TablesComeAndGo) {
  start();
  auto changes = change(std::string(kPipeline) + std::string(kOther));
  EXPECT_THAT(changes.started, ElementsAre("ks.other"));
  EXPECT_EQ(changes.unchanged, 2u);
  wait_for_rows(1, "ks.other");
  changes = change(kPipeline);
  EXPECT_THAT(changes.stopped, ElementsAre("ks.other"));
  EXPECT_EQ(instance_->status().tables.size(), 1u);
  change(std::string(kPipeline) + std::string(kOther));
  stop_and_check();
  EXPECT_EQ(table("ks.other").written, table("ks.other").records_in);
}

TEST_F(ChangeTest, WhatCannotBeTakenChangesNothing) {
  start();
  EXPECT_THAT(refused(with("primary_key: id", "primary_key: [id, nat]")),
              HasSubstr("the clustering columns were (), the pipeline file says (nat)"));
  EXPECT_THAT(refused(with("SELECT * FROM", "SELECT id, length(nat) AS nat FROM")),
              HasSubstr("VARCHAR"));
  EXPECT_THAT(refused(with("{key: id}", "{key: id, partitions: 2}")),
              HasSubstr("topic created has 1 partition, the pipeline file says 2"));
  EXPECT_EQ(change(kPipeline).unchanged, 2u);
  wait_for_rows(100);
  stop_and_check();
}

TEST_F(ChangeTest, ANodeThatHasStoppedStartsAgain) {
  auto strict = with("expect:", "dead_letters: {max: 0}\n    expect:");
  auto started = instance_->start(load(strict), false);
  ASSERT_TRUE(started);
  auto wait_for = [&](NodeState state) {
    while (table().state != state) clock_.wait(std::chrono::milliseconds(1), {});
  };
  wait_for(NodeState::kStopped);
  EXPECT_THAT(change(strict).restarted, ElementsAre("ks.users"));
  wait_for(NodeState::kStopped);
  change(kPipeline);
  wait_for(NodeState::kRunning);
  wait_for_rows(1);
  stop_and_check();
}

// Who asks and redrives meanwhile sees the old nodes or the new ones.
TEST_F(ChangeTest, AnyoneMayLookAndRedriveMeanwhile) {
  start();
  std::atomic<bool> done = false;
  std::jthread asking([&] {
    while (!done) {
      for (const auto& one : instance_->status().tables) EXPECT_TRUE(one.balanced());
      EXPECT_TRUE(instance_->source_letters("users"));
    }
  });
  std::jthread redriving([&] {
    while (!done) {
      auto step = redrive(*instance_, {.node = "ks.users", .rule = "", .stage = ""}, std::nullopt);
      EXPECT_TRUE(step) << step.error().message();
    }
  });
  for (int i = 0; i < 10; ++i) {
    change(with("nat <> 'DE'", i % 2 == 0 ? "nat <> 'FR'" : "nat <> 'DE'"));
    change(with("every: 0ms", i % 2 == 0 ? "every: 1ms" : "every: 0ms"));
    wait_for_rows(1);
  }
  done = true;
  asking.join();
  redriving.join();
  change(with("nat <> 'DE'", "nat IS NOT NULL"));
  std::optional<DeadLetterPosition> next;
  do {
    auto step = redrive(*instance_, {.node = "ks.users", .rule = "", .stage = ""}, next);
    ASSERT_TRUE(step) << step.error().message();
    next = step->next;
  } while (next);
  stop_and_check();
  EXPECT_EQ(table().dead_letters, 0);
  EXPECT_EQ(table().written, table().records_in);
}

}  // namespace
}  // namespace millrace::pipeline
