// A source on a disk that fails while a page is written: every item is in the topic or a dead
// letter, once, and the counts say so; whatever the API answers when it is asked again.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "base/base.h"
#include "io/simulated_disk.h"
#include "pipeline/pipeline.h"
#include "source/test_server.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;
using Fault = io::SimulatedDisk::Fault;

constexpr int kItems = 12;  // of a page
constexpr const char* kSource = "items";

// A wait is over at once, and moves the time.
class QuickClock final : public io::Clock {
 public:
  int64_t now_micros() override { return micros_; }
  int64_t monotonic_micros() override { return micros_; }
  bool wait(std::chrono::milliseconds duration, std::stop_token stop) override {
    micros_ += std::chrono::microseconds(duration).count();
    return !stop.stop_requested();
  }

 private:
  std::atomic<int64_t> micros_ = int64_t{1'700'000'000} * 1'000'000;
};

class PageFaultTest : public testing::Test {
 protected:
  PageFaultTest()
      : folder_(fs::path(testing::TempDir()) / ("fault_" + to_string(random_uuid()))),
        server_([this](const std::string&) { return answer(); }) {
    fs::create_directories(folder_);
    write("item.schema.json", R"({"properties": {
      "id": {"type": "integer"}, "n": {"type": "string"}}})");
  }
  ~PageFaultTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(path(name)) << text;
  }

  // No two answers have an item in common; that of each second item is refused, or of all.
  std::string answer() {
    auto items = nlohmann::json::array();
    for (int i = 0; i < kItems; ++i)
      items.push_back({{"id", next_id_++}, {"n", refuse_all_ || i % 2 == 0 ? "no" : "1"}});
    if (on_answer_) on_answer_();
    return source::response(200, items.dump(), "Content-Type: application/json\r\n");
  }

  spec::Pipeline pipeline(const std::string& n = "CAST(n AS INT)") {
    write("p.yaml", fmt::format("name: fault\nsources:\n  items:\n"
                                "    http: {{url: '{}', every: 0ms}}\n    for: 0s\n"
                                "    schema: item.schema.json\n    to: created\n"
                                "    select: SELECT id, {} AS n FROM items\n"
                                "topics: {{created: {{key: id, partitions: 3}}}}\n",
                                server_.url("/items"), n));
    auto loaded = spec::load(path("p.yaml"), spec::process_variables());
    EXPECT_TRUE(loaded && loaded->ok());
    return loaded->pipeline;
  }

  void new_disk(uint64_t seed) {
    instance_.reset();
    fs::remove_all(path("data"));
    fs::create_directories(path("data"));
    disk_ = std::make_unique<io::SimulatedDisk>(seed);
  }
  Result<void> open() {
    instance_ = MR_TRY(Instance::open(
        {.data_dir = path("data"), .segment_bytes = 20'000, .disk = &*disk_}, logger_, clock_));
    return {};
  }
  // One run of the source.
  Result<void> run() {
    MR_TRY(open());
    MR_TRY(instance_->start(pipeline(), true));
    MR_TRY(instance_->wait_until_finished({}));
    return instance_->stop();
  }
  // As after kill -9: what is not on the disk is in the page cache.
  void kill() {
    disk_->forget_plan();
    disk_->plan(1, Fault::kDeath);
    instance_.reset();
    disk_->restart_process();
  }

  SourceStatus source() { return instance_->status().sources.at(0); }
  int64_t letters_shown() {
    auto* topic = instance_->log().find_topic(dead_letters_topic(kSource));
    return topic == nullptr ? 0 : topic->partition(PartitionId(0)).end_offset().value;
  }
  std::vector<DeadLetter> letters() {
    return list_dead_letters(*instance_, {.node = kSource, .rule = "", .stage = ""}, false, 10'000)
        ->newest;
  }

  // Every item counted is there, once; of each answer all or none.
  void expect_whole() {
    auto status = source();
    EXPECT_EQ(status.items, status.records + status.filtered + status.dead_letters);
    std::multiset<int64_t> ids;
    for (const auto& letter : letters())
      ids.insert(nlohmann::json::parse(*letter.value)["id"].get<int64_t>());
    EXPECT_EQ(static_cast<int64_t>(ids.size()), status.dead_letters);
    for (int32_t i = 0; i < 3; ++i) add_ids(PartitionId(i), ids);
    EXPECT_EQ(static_cast<int64_t>(ids.size()), status.items);
    std::map<int64_t, int> of_answer;
    for (auto id : std::set(ids.begin(), ids.end())) ++of_answer[id / kItems];
    for (auto [number, items] : of_answer) EXPECT_EQ(items, kItems) << "answer " << number;
  }
  void add_ids(PartitionId partition, std::multiset<int64_t>& ids) {
    topic::Reader reader;
    auto* topic = instance_->log().find_topic("created");
    auto end = topic->partition(partition).end_offset();
    for (Offset next(0); next < end;) {
      auto records = reader.read(topic->partition(partition), next);
      ASSERT_TRUE(records) << records.error().message();
      for (const auto& record : *records)
        ids.insert(nlohmann::json::parse(*record.value)["id"].get<int64_t>());
      next = records->back().offset + 1;
    }
  }

  // For each call of the disk while a page is written: it fails, the source goes on as it can, and
  // the process is killed.
  void fail_each_call_of_a_page();

  const fs::path folder_;
  Logger logger_{LogFormat::kText, LogLevel::kError, [](std::string_view) {}};
  QuickClock clock_;
  std::unique_ptr<io::SimulatedDisk> disk_;
  std::unique_ptr<Instance> instance_;
  int64_t next_id_ = 0;
  bool refuse_all_ = false;
  uint64_t capacity_ = 0;
  std::function<void()> on_answer_;
  source::TestServer server_;  // the last: its thread uses the others
};

void PageFaultTest::fail_each_call_of_a_page() {
  uint64_t call = 0;
  for (uint64_t calls = 1; call <= calls;) {
    SCOPED_TRACE(++call);
    new_disk(call);
    ASSERT_TRUE(run());
    instance_.reset();
    bool planned = false;
    on_answer_ = [&] {
      EXPECT_EQ(letters_shown(), source().dead_letters);
      if (!planned) disk_->plan(call, Fault::kError);
      if (!planned) calls = disk_->call_count();
      planned = true;
    };
    (void)run();
    calls = disk_->call_count() - calls;
    on_answer_ = nullptr;
    kill();
    ASSERT_TRUE(open());
    expect_whole();
    instance_.reset();
    auto after = run();
    ASSERT_TRUE(after) << after.error().message();
    EXPECT_EQ(letters_shown(), source().dead_letters);
    expect_whole();
  }
  EXPECT_GT(call, 4U);
}

TEST_F(PageFaultTest, NoItemIsLostOrCountedForAnother) {
  fail_each_call_of_a_page();
}

TEST_F(PageFaultTest, NoItemOfAPageThatLeavesNoRecordIsLost) {
  refuse_all_ = true;
  fail_each_call_of_a_page();
}

// Room comes back while the source waits.
TEST_F(PageFaultTest, AFullDiskEndsNothing) {
  int answers = 0;
  on_answer_ = [&] {
    EXPECT_EQ(letters_shown(), source().dead_letters);
    disk_->set_capacity(++answers == 1 ? capacity_ : UINT64_MAX);
  };
  int failed = 0;
  for (capacity_ = 1;; capacity_ += 4'096) {
    SCOPED_TRACE(capacity_);
    new_disk(capacity_);
    answers = 0;
    auto ran = run();
    EXPECT_TRUE(ran) << ran.error().message();
    expect_whole();
    if (answers == 1) break;
    ++failed;
  }
  EXPECT_GT(failed, 3);
}

TEST_F(PageFaultTest, ARedriveThatMayBeThereIsNotTakenForUndone) {
  int failed = 0;
  for (uint64_t call = 1;; ++call) {
    SCOPED_TRACE(call);
    new_disk(call);
    ASSERT_TRUE(run());
    auto all = letters();
    instance_.reset();
    ASSERT_EQ(all.size(), static_cast<size_t>(kItems / 2));
    std::vector<std::string> some;
    for (size_t i = 0; i < 4; ++i) some.push_back(all[i].address());
    const std::vector<std::string> other = {all[4].address()};
    ASSERT_TRUE(open());
    ASSERT_TRUE(instance_->prepare(pipeline("2")));
    disk_->plan(call, Fault::kError);
    auto first = redrive(*instance_, some, std::nullopt);
    disk_->forget_plan();
    if (first) break;
    ++failed;
    (void)redrive(*instance_, other, std::nullopt);
    kill();
    ASSERT_TRUE(open());
    auto prepared = instance_->prepare(pipeline("2"));
    ASSERT_TRUE(prepared) << prepared.error().message();
    expect_whole();
    ASSERT_TRUE(redrive(*instance_, some, std::nullopt));
    ASSERT_TRUE(redrive(*instance_, other, std::nullopt));
    EXPECT_EQ(source().redriven, 5);
    expect_whole();
  }
  EXPECT_GT(failed, 3);
}

}  // namespace
}  // namespace millrace::pipeline
