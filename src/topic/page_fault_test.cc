// A page on a disk that fails: all partitions show it, or none.
#include <gtest/gtest.h>

#include "io/simulated_disk.h"
#include "sql/test_rows.h"
#include "topic/topic.h"

namespace millrace::topic {
namespace {

using Fault = io::SimulatedDisk::Fault;

constexpr std::string_view kCursorHeader = "cursor";

Result<int64_t> number_of(std::string_view text) {
  return std::stoll(std::string(text));
}

class PageFaultTest : public testing::Test {
 protected:
  using Ends = std::vector<int64_t>;

  Result<void> open() {
    log_.reset();
    log_ = MR_TRY(log::Log::open("/log", logger_, {.segment_bytes = 4'096, .disk = &*disk_}));
    return {};
  }
  log::Topic& topic() {
    auto topic = open_topic(*log_, definition_);
    EXPECT_TRUE(topic) << topic.error().message();
    return **topic;
  }
  Result<void> write_page(std::string_view cursor) {
    auto engine = MR_TRY(sql::Engine::open({}));
    auto transform =
        sql::Transform::prepare(*engine, {"input", definition_.columns, "SELECT * FROM input", {}});
    std::vector<std::string> items;
    for (int i = 0; i < 20; ++i) items.push_back(fmt::format(R"({{"id":{}}})", i));
    sql::PaddedTexts texts(items);
    std::vector<sql::Failure> failures;
    PageWriter writer(topic(), definition_, definition_.columns);
    writer.begin(1);
    MR_TRY(transform->run(texts.views(), writer, failures));
    return writer.append(kCursorHeader, cursor);
  }
  // Retention looks at all partitions when their records are past the time.
  void look() {
    for (int32_t i = 0; i < definition_.partitions; ++i)
      (void)topic()
          .partition(PartitionId(i))
          .kept_from({.time = std::chrono::milliseconds(0)}, INT64_MAX / 2);
  }
  Ends ends() {
    Ends ends;
    for (int32_t i = 0; i < definition_.partitions; ++i)
      ends.push_back(topic().partition(PartitionId(i)).end_offset().value);
    return ends;
  }

  const TopicDefinition definition_{.name = "t",
                                    .columns = {{"id", {.kind = schema::Kind::kBigInt}}},
                                    .key = {"id"},
                                    .partitions = 3};
  Logger logger_{LogFormat::kText, LogLevel::kError, [](std::string_view) {}};
  std::unique_ptr<io::SimulatedDisk> disk_;
  std::unique_ptr<log::Log> log_;
};

TEST_F(PageFaultTest, NoPartitionEverShowsAPartOfAPage) {
  int failed = 0;
  for (uint64_t call = 1;; ++call) {
    SCOPED_TRACE(call);
    log_.reset();
    disk_ = std::make_unique<io::SimulatedDisk>(call);
    ASSERT_TRUE(open());
    ASSERT_TRUE(write_page("1"));
    const Ends one = ends();
    Ends two;
    for (auto end : one) two.push_back(2 * end);
    disk_->plan(call, Fault::kError);
    auto written = write_page("2");
    disk_->forget_plan();
    if (written) break;
    ++failed;
    look();
    EXPECT_EQ(ends(), one);
    disk_->plan(1, Fault::kDeath);  // nothing is done as it closes
    log_.reset();
    disk_->crash();
    ASSERT_TRUE(open());
    auto recovered = recover_page(topic(), kCursorHeader, number_of);
    ASSERT_TRUE(recovered) << recovered.error().message();
    EXPECT_TRUE(ends() == one || ends() == two);
  }
  EXPECT_GT(failed, 5);
}

}  // namespace
}  // namespace millrace::topic
