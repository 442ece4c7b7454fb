#include "log/log.h"

#include <thread>

#include "base/bytes.h"
#include "log/test_log.h"

namespace millrace::log {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST_F(LogTest, AppendsAreReadBackAsTheyWere) {
  ASSERT_TRUE(open());
  std::string first = batch_of(3);
  std::string second = batch_of(2, 100);
  EXPECT_EQ(partition().append(first), Offset(0));
  EXPECT_EQ(partition().append(second), Offset(3));
  EXPECT_EQ(partition().start_offset(), Offset(0));
  EXPECT_EQ(partition().end_offset(), Offset(5));
  EXPECT_EQ(partition().size_bytes(), first.size() + second.size());
  record::set_base_offset(first.data(), Offset(0));
  record::set_base_offset(second.data(), Offset(3));
  std::string buffer;
  EXPECT_EQ(partition().read(Offset(0), kReadBytes, buffer), first + second);
  EXPECT_EQ(partition().read(Offset(3), kReadBytes, buffer), second);
  EXPECT_EQ(partition().read(Offset(5), kReadBytes, buffer), "");
}

TEST_F(LogTest, ReopeningKeepsAllAndGoesOn) {
  ASSERT_TRUE(open());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(partition().append(batch_of(7, 500)));
  Uuid id = topic_->id();
  ASSERT_TRUE(open());
  EXPECT_EQ(topic_->id(), id);
  EXPECT_EQ(count_all(), 700);
  EXPECT_EQ(partition().append(batch_of(1)), Offset(700));
  ASSERT_TRUE(open());
  EXPECT_EQ(count_all(), 701);
}

TEST_F(LogTest, ReadingInMidBatchGivesTheWholeBatch) {
  ASSERT_TRUE(open());
  std::string batch = batch_of(10);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(partition().append(batch));
  std::string buffer;
  for (int64_t from = 0; from < 500; ++from) {
    auto read = partition().read(Offset(from), 1, buffer);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->size(), batch.size());
    EXPECT_EQ(record::parse_batch_header(*read)->base_offset, Offset(from / 10 * 10));
  }
}

TEST_F(LogTest, ReadsAreWholeBatchesWithinTheirLimit) {
  ASSERT_TRUE(open());
  std::string batch = batch_of(1, 30'000);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(partition().append(batch));
  std::string buffer;
  EXPECT_EQ(partition().read(Offset(0), 3 * batch.size() - 1, buffer)->size(), 2 * batch.size());
  EXPECT_EQ(partition().read(Offset(5), 3 * batch.size(), buffer)->size(), 3 * batch.size());
  EXPECT_EQ(partition().read(Offset(19), kReadBytes, buffer)->size(), batch.size());
  EXPECT_EQ(partition().read(Offset(0), 0, buffer)->size(), batch.size());
  auto read = partition().read(Offset(19), 0, buffer);
  ASSERT_TRUE(read);
  EXPECT_GE(buffer.data() + buffer.size(), read->data() + read->size() + 64);
}

TEST_F(LogTest, RefusesWhatItCannotTake) {
  ASSERT_TRUE(open());
  std::string batch = batch_of(3);
  auto code_of = [&](std::string_view bytes) {
    auto appended = partition().append(bytes);
    EXPECT_FALSE(appended);
    return appended.error().code();
  };
  EXPECT_EQ(code_of(""), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(batch.substr(0, batch.size() - 1)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(batch + batch), ErrorCode::kInvalid);
  std::string flipped = batch;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  EXPECT_EQ(code_of(flipped), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(std::string(limits::kBatchBytesMax + 1, 'x')), ErrorCode::kLimit);
  EXPECT_EQ(partition().append(batch), Offset(0));
  std::string buffer;
  EXPECT_EQ(partition().read(Offset(-1), 1, buffer).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(partition().read(Offset(4), 1, buffer).error().code(), ErrorCode::kNotFound);
}

TEST_F(LogTest, WrittenIsVisibleOnlyWhenShown) {
  ASSERT_TRUE(open());
  EXPECT_EQ(partition().write(batch_of(2)), Offset(0));
  EXPECT_EQ(partition().write(batch_of(2)), Offset(2));
  EXPECT_EQ(partition().end_offset(), Offset(0));
  std::string buffer;
  EXPECT_EQ(partition().read(Offset(0), kReadBytes, buffer), "");
  EXPECT_EQ(partition().read(Offset(2), 1, buffer).error().code(), ErrorCode::kNotFound);
  partition().show();
  EXPECT_EQ(partition().end_offset(), Offset(0));
  ASSERT_TRUE(partition().flush());
  EXPECT_EQ(partition().end_offset(), Offset(0));
  partition().show();
  EXPECT_EQ(partition().end_offset(), Offset(4));
  EXPECT_EQ(count_all(), 4);
}

TEST_F(LogTest, ASegmentHasLessThanFourGibibytes) {
  ASSERT_TRUE(open());
  auto space = partition().reserve(size_t{1} << 32);
  ASSERT_FALSE(space);
  EXPECT_EQ(space.error().code(), ErrorCode::kLimit);
  EXPECT_EQ(partition().append(batch_of(1)), Offset(0));
}

TEST_F(LogTest, EightThreadsAppendWithoutLossOrGap) {
  ASSERT_TRUE(open("log", {.segment_bytes = 50'000}));
  constexpr int kThreads = 8;
  constexpr int kAppends = 50;
  std::vector<std::vector<Offset>> got(kThreads);
  {
    std::vector<std::jthread> threads;
    for (auto& offsets : got)
      threads.emplace_back([&] {
        for (int i = 0; i < kAppends; ++i) {
          auto offset = partition().append(batch_of(2, 200));
          ASSERT_TRUE(offset);
          EXPECT_GE(partition().end_offset(), *offset + 2);
          offsets.push_back(*offset);
        }
      });
  }
  std::vector<bool> seen(kThreads * kAppends);
  for (const auto& offsets : got)
    for (Offset offset : offsets) seen[static_cast<size_t>(offset.value / 2)] = true;
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), kThreads * kAppends);
  EXPECT_EQ(count_all(), 2 * kThreads * kAppends);
  ASSERT_TRUE(open());
  EXPECT_EQ(count_all(), 2 * kThreads * kAppends);
}

TEST_F(LogTest, SegmentsRollAndAreReadAcross) {
  Options small{.segment_bytes = 4'096};
  ASSERT_TRUE(open("log", small));
  std::string large = batch_of(1, 10'000);  // larger than a segment
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(partition().append(i == 20 ? large : batch_of(3, 300)));
  EXPECT_GT(io::list_directory(path("log/t/0"))->size(), 10u);
  for (int64_t from = 0; from < 118; ++from)
    EXPECT_EQ(read_all(partition(), Offset(from), 1), 118 - from);
  ASSERT_TRUE(open("log", small));
  EXPECT_EQ(count_all(), 118);
  EXPECT_EQ(partition().append(batch_of(1)), Offset(118));
}

TEST_F(LogTest, OffsetsAreFoundByTime) {
  for (auto segment_bytes : {size_t{100'000}, limits::kSegmentBytes}) {
    std::string name = std::to_string(segment_bytes);
    ASSERT_TRUE(open(name, {.segment_bytes = segment_bytes}));
    for (int i = 0; i < 200; ++i)
      ASSERT_TRUE(partition().append(batch_of(4, 1'000, 1'000 + i * 100)));
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(partition().offset_at(0), Offset(0));
      EXPECT_EQ(partition().offset_at(1'000), Offset(0));
      EXPECT_EQ(partition().offset_at(1'003), Offset(0));
      for (int i = 1; i < 200; ++i) {
        EXPECT_EQ(partition().offset_at(1'000 + i * 100), Offset(4 * i));
        EXPECT_EQ(partition().offset_at(1'000 + i * 100 - 90), Offset(4 * i));
      }
      EXPECT_EQ(partition().offset_at(1'000 + 199 * 100 + 4), Offset(800));
      ASSERT_TRUE(open(name, {.segment_bytes = segment_bytes}));
    }
  }
}

TEST_F(LogTest, TimeGoingBackIsFoundByTheFirstThatIsLateEnough) {
  ASSERT_TRUE(open());
  for (int64_t time : {500, 900, 100, 700, 1'000})
    ASSERT_TRUE(partition().append(batch_of(1, 20'000, time)));
  EXPECT_EQ(partition().offset_at(600), Offset(1));
  EXPECT_EQ(partition().offset_at(950), Offset(4));
  EXPECT_EQ(partition().offset_at(1'001), Offset(5));
}

TEST_F(LogTest, ReaderSeesContiguousOffsetsWhileAWriterAppends) {
  ASSERT_TRUE(open("log", {.segment_bytes = 20'000}));
  constexpr int64_t kRecords = 900;
  std::jthread writer([&] {
    for (int64_t i = 0; i < kRecords; i += 3) ASSERT_TRUE(partition().append(batch_of(3, 100)));
  });
  Offset next{0};
  while (next < Offset(kRecords)) {
    std::vector<Offset> positions = {next};
    ASSERT_TRUE(topic_->wait(positions, 1min, {}));
    int64_t got = read_all(partition(), next, 1'000);
    ASSERT_GT(got, 0);
    next = next + got;
  }
  EXPECT_EQ(next, Offset(kRecords));
}

TEST_F(LogTest, WaitEndsWithRecordsTimeoutOrStop) {
  ASSERT_TRUE(open());
  auto topic = log_->create_topic("two", 2, "");
  ASSERT_TRUE(topic);
  std::vector<Offset> positions = {Offset(0), Offset(0)};
  EXPECT_FALSE((*topic)->wait(positions, 1ms, {}));
  std::stop_source stop;
  {
    std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_FALSE((*topic)->wait(positions, std::chrono::milliseconds::max(), stop.get_token()));
  }
  std::jthread writer(
      [&] { ASSERT_TRUE((*topic)->partition(PartitionId(1)).append(batch_of(1))); });
  EXPECT_TRUE((*topic)->wait(positions, 1min, {}));
  positions[1] = Offset(1);
  EXPECT_FALSE((*topic)->wait(positions, 0ms, {}));
}

TEST_F(LogTest, TopicsKeepTheirNamesPartitionsAndMetadata) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(log_->create_topic("b.x", 3, R"({"columns": ["é"]})"));
  ASSERT_TRUE(log_->create_topic("a", 1, "one"));
  EXPECT_EQ(log_->create_topic("a", 1, "").error().code(), ErrorCode::kConflict);
  for (const char* bad : {"", ".", "..", "a/b", "a b", "~a", "ü"})
    EXPECT_EQ(log_->create_topic(bad, 1, "").error().code(), ErrorCode::kInvalid) << bad;
  std::string longest(limits::kTopicNameMax, 'x');
  EXPECT_TRUE(log_->create_topic(longest, 1, ""));
  EXPECT_EQ(log_->create_topic(longest + "x", 1, "").error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(log_->create_topic("c", 0, "").error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(log_->create_topic("c", limits::kPartitionsMax + 1, "").error().code(),
            ErrorCode::kInvalid);
  EXPECT_EQ(log_->create_topic("c", 1, "\xff").error().code(), ErrorCode::kInvalid);
  ASSERT_TRUE(log_->find_topic("a")->set_metadata("two"));
  ASSERT_TRUE(open());
  std::vector<std::string> names;
  for (Topic* topic : log_->topics()) names.push_back(topic->name());
  EXPECT_THAT(names, testing::ElementsAre("a", "b.x", "t", longest));
  EXPECT_EQ(log_->find_topic("a")->metadata(), "two");
  EXPECT_EQ(log_->find_topic("b.x")->metadata(), R"({"columns": ["é"]})");
  EXPECT_EQ(log_->find_topic("b.x")->partition_count(), 3);
  EXPECT_EQ(log_->find_topic("none"), nullptr);
}

TEST_F(LogTest, TruncateIsAsIfNeverWritten) {
  Options small{.segment_bytes = 30'000};
  ASSERT_TRUE(open("log", small));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(partition().append(batch_of(2, 900)));
  EXPECT_EQ(partition().truncate(Offset(151)).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(partition().truncate(Offset(201)).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(count_all(), 200);
  for (int64_t end : {200, 198, 150, 148, 20, 0}) {
    ASSERT_TRUE(partition().truncate(Offset(end)));
    EXPECT_EQ(partition().end_offset(), Offset(end));
    EXPECT_EQ(count_all(), end);
    copy("log", "crashed");
    EXPECT_EQ(partition().append(batch_of(2, 500)), Offset(end));
    EXPECT_EQ(count_all(), end + 2);
    ASSERT_TRUE(open("crashed", small));
    EXPECT_EQ(count_all(), end);
    ASSERT_TRUE(open("log", small));
    EXPECT_EQ(count_all(), end + 2);
  }
}

TEST_F(LogTest, ReadOnlyReadsAndWritesNothing) {
  EXPECT_FALSE(Log::open(path("none"), logger_, {.read_only = true}));
  ASSERT_TRUE(open());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(partition().append(batch_of(1, 5'000)));
  ASSERT_TRUE(partition().write(batch_of(1)));
  copy("log", "copy");
  std::filesystem::resize_file(file("copy", 0, ".segment"), 10 * batch_of(1, 5'000).size() + 40);
  std::filesystem::remove(file("copy", 0, ".index"));
  ASSERT_TRUE(open("copy", {.read_only = true}));
  EXPECT_EQ(count_all(), 10);
  EXPECT_EQ(partition().append(batch_of(1)).error().code(), ErrorCode::kUnsupported);
  ASSERT_TRUE(partition().truncate(Offset(4)));
  EXPECT_EQ(count_all(), 4);
  EXPECT_EQ(topic_->set_metadata("").error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(log_->create_topic("x", 1, "").error().code(), ErrorCode::kUnsupported);
  log_.reset();
  EXPECT_EQ(io::list_directory(path("copy/t/0"))->size(), 1u);
  EXPECT_EQ(std::filesystem::file_size(file("copy", 0, ".segment")),
            10 * batch_of(1, 5'000).size() + 40);
}

}  // namespace
}  // namespace millrace::log
