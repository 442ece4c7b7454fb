// Removing the oldest segments, and using their files again.
#include <algorithm>
#include <atomic>
#include <thread>

#include "io/simulated_disk.h"
#include "log/test_log.h"

namespace millrace::log {
namespace {

using std::chrono::milliseconds;

class RetentionTest : public LogTest {
 protected:
  static constexpr size_t kSegmentBytes = 8'192;
  static constexpr int kRecords = 5;  // of a batch

  void SetUp() override {
    LogTest::SetUp();
    ASSERT_TRUE(open("log", small_));
  }

  // Batches of 5 records and about 1 KB, each a second later than the one before.
  void append(int batches) {
    for (int i = 0; i < batches; ++i) {
      auto batch = batch_of(kRecords, 200, time_ms_);
      batch_bytes_ = batch.size();
      time_ms_ += 1'000;
      ASSERT_TRUE(partition().append(batch));
    }
  }
  std::vector<std::string> files(std::string_view suffix, std::string_view log = "log") {
    std::vector<std::string> found;
    const auto names = io::list_directory(path(log) + "/t/0");
    for (const auto& name : *names)
      if (name.ends_with(suffix)) found.push_back(name);
    return found;
  }
  void remove_half() { ASSERT_TRUE(partition().remove_before(half())); }
  Offset half() { return Offset(partition().end_offset().value / 2); }

  const Options small_{.segment_bytes = kSegmentBytes};
  int64_t time_ms_ = 1'000'000;
  size_t batch_bytes_ = 0;
};

TEST_F(RetentionTest, WithoutBoundsEverythingIsKept) {
  append(50);
  EXPECT_EQ(partition().kept_from({}, INT64_MAX), Offset(0));
}

TEST_F(RetentionTest, SegmentsGoThatAreOlderThanTheTime) {
  append(50);
  const int64_t now_ms = time_ms_;
  const Offset kept = *partition().kept_from({.time = milliseconds(20'000)}, now_ms);
  ASSERT_GT(kept, Offset(0));
  ASSERT_TRUE(partition().remove_before(kept));
  EXPECT_EQ(partition().start_offset(), kept);
  EXPECT_EQ(count_all(), 50 * kRecords - kept.value);
  // The last 20 batches are young enough; of what is before them less than a segment is left.
  const int64_t per_segment = static_cast<int64_t>(kSegmentBytes / batch_bytes_) * kRecords;
  EXPECT_LE(kept, Offset(30 * kRecords));
  EXPECT_GT(kept, Offset(30 * kRecords - per_segment));
  ASSERT_TRUE(open("log", small_));
  EXPECT_EQ(partition().start_offset(), kept);
  EXPECT_EQ(count_all(), 50 * kRecords - kept.value);
}

TEST_F(RetentionTest, SegmentsGoWithoutWhichTheBytesAreThere) {
  append(50);
  const uint64_t bytes = 20'000;
  ASSERT_TRUE(partition().remove_before(*partition().kept_from({.bytes = bytes}, time_ms_)));
  EXPECT_GE(partition().size_bytes(), bytes);
  EXPECT_LT(partition().size_bytes(), bytes + kSegmentBytes);
}

TEST_F(RetentionTest, TheNewestRecordsStayAlways) {
  append(50);
  const Retention none{.time = milliseconds(0), .bytes = 0};
  // The last segment is full of old records, so a new one is begun; it is empty.
  Offset kept = *partition().kept_from(none, INT64_MAX / 2);
  EXPECT_LT(kept, partition().end_offset());
  ASSERT_TRUE(partition().remove_before(partition().end_offset()));
  EXPECT_EQ(partition().start_offset(), kept);
  EXPECT_GT(count_all(), 0);
  ASSERT_TRUE(open("log", small_));
  EXPECT_GT(count_all(), 0);
  append(1);
  kept = *partition().kept_from(none, 0);
  EXPECT_EQ(kept, partition().end_offset() + -kRecords);
}

TEST_F(RetentionTest, ASlowTopicsRecordsGoToo) {
  append(1);
  const Retention minute{.time = milliseconds(60'000)};
  EXPECT_EQ(partition().kept_from(minute, time_ms_ + 120'000), Offset(0));
  append(1);
  EXPECT_EQ(partition().kept_from(minute, time_ms_ + 120'000), Offset(kRecords));
}

TEST_F(RetentionTest, OnlyWholeSegmentsBeforeTheOffsetGo) {
  append(50);
  const auto segments = files(".segment");
  ASSERT_GT(segments.size(), 3u);
  const Offset second(std::stoll(segments[1]));
  ASSERT_TRUE(partition().remove_before(second + -1));
  EXPECT_EQ(partition().start_offset(), Offset(0));
  ASSERT_TRUE(partition().remove_before(second));
  EXPECT_EQ(partition().start_offset(), second);
  std::string buffer;
  auto gone = partition().read(Offset(0), kReadBytes, buffer);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), ErrorCode::kNotFound);
}

TEST_F(RetentionTest, ARemovedSegmentsFileIsTheNextOnes) {
  append(50);
  remove_half();
  ASSERT_EQ(files(".spare").size(), 1u);
  const auto before = files(".segment");
  append(static_cast<int>(kSegmentBytes / batch_bytes_) + 1);
  EXPECT_TRUE(files(".spare").empty());
  const auto after = files(".segment");
  ASSERT_EQ(after.size(), before.size() + 1);
  // What the next segment has not written is zeros, not the old batches.
  const auto bytes = *io::read_file(path("log/t/0/" + after.back()), kReadBytes);
  ASSERT_EQ(bytes.size(), kSegmentBytes);
  const int64_t batches = (partition().end_offset() - Offset(std::stoll(after.back()))) / kRecords;
  const size_t written = static_cast<size_t>(batches) * batch_bytes_;
  ASSERT_LT(written, bytes.size());
  EXPECT_EQ(bytes.find_first_not_of('\0', written), std::string::npos);
  EXPECT_EQ(count_all(), partition().end_offset() - partition().start_offset());
  ASSERT_TRUE(open("log", small_));
  append(3);
  EXPECT_EQ(count_all(), partition().end_offset() - partition().start_offset());
}

// On a full disk a spare is the only way to the next segment.
TEST_F(RetentionTest, ASegmentThatCannotBeMadeLeavesItsSpare) {
  int failed = 0;
  for (uint64_t call = 1;; ++call) {
    SCOPED_TRACE(call);
    log_.reset();
    io::SimulatedDisk disk(call);
    ASSERT_TRUE(open("log", {.segment_bytes = kSegmentBytes, .disk = &disk}));
    append(1);
    append(static_cast<int>(3 * (kSegmentBytes / batch_bytes_) - 1));  // three full segments
    remove_half();
    disk.set_capacity(1);
    disk.plan(call, io::SimulatedDisk::Fault::kNoSpace);
    auto calls = disk.call_count();
    if (!partition().reserve(batch_bytes_)) ++failed;
    calls = disk.call_count() - calls;
    disk.forget_plan();
    auto space = partition().reserve(batch_bytes_);
    ASSERT_TRUE(space) << space.error().message();
    space->reset();  // it may not outlive the log
    append(1);
    log_.reset();
    if (calls < call) break;
  }
  EXPECT_GT(failed, 0);
}

TEST_F(RetentionTest, ACrashBetweenRemovalsLeavesALog) {
  append(50);
  const Offset end = partition().end_offset();
  copy("log", "crashed");
  const auto segments = files(".segment");
  ASSERT_GT(segments.size(), 4u);
  // After the rename to a spare, before the index went; and after the removal of the next file.
  std::filesystem::rename(path("crashed/t/0/" + segments[0]),
                          file("crashed", std::stoll(segments[0]), ".spare"));
  std::filesystem::remove(path("crashed/t/0/" + segments[1]));
  ASSERT_TRUE(open("crashed", small_));
  EXPECT_EQ(partition().start_offset(), Offset(std::stoll(segments[2])));
  EXPECT_EQ(partition().end_offset(), end);
  EXPECT_EQ(count_all(), end - partition().start_offset());
  EXPECT_TRUE(files(".spare", "crashed").empty());
  EXPECT_EQ(files(".index", "crashed").size(), files(".segment", "crashed").size());
}

TEST_F(RetentionTest, ALogForReadingOnlyRemovesNothing) {
  append(50);
  Options options = small_;
  options.read_only = true;
  ASSERT_TRUE(open("log", options));
  EXPECT_EQ(partition().remove_before(half()).error().code(), ErrorCode::kUnsupported);
}

// A reader that has found a segment must not see its file change.
TEST_F(RetentionTest, ReadersReadOnWhileSegmentsGo) {
  append(20);
  std::atomic<bool> done = false;
  std::atomic<int64_t> read = 0;
  std::jthread reader([&] {
    std::string buffer;
    while (!done) {
      Offset from = partition().start_offset();
      auto bytes = partition().read(from, kSegmentBytes, buffer);
      if (bytes)
        ++read;
      else
        EXPECT_EQ(bytes.error().code(), ErrorCode::kNotFound) << bytes.error().message();
    }
  });
  for (int i = 0; i < 100 || read < 100; ++i) {
    append(4);
    ASSERT_TRUE(partition().remove_before(*partition().kept_from({.bytes = 10'000}, time_ms_)));
  }
  done = true;
}

}  // namespace
}  // namespace millrace::log
