#include "log/verify.h"

#include <fstream>

#include "log/cut.h"
#include "log/test_log.h"

namespace millrace::log {
namespace {

using testing::HasSubstr;

constexpr size_t kSegmentBytes = 8'192;
constexpr int kRecords = 10;  // of a batch
constexpr size_t kValueBytes = 90;

class VerifyTest : public LogTest {
 protected:
  void append(int batches) {
    for (int i = 0; i < batches; ++i)
      ASSERT_TRUE(partition().append(batch_of(kRecords, kValueBytes)));
  }
  // A log of this many batches in segments of about seven each, closed.
  void make_log(int batches, size_t segment_bytes = kSegmentBytes) {
    ASSERT_TRUE(open("log", {.segment_bytes = segment_bytes}));
    append(batches);
    end_ = partition().end_offset();
    log_.reset();
  }
  std::string folder() const { return partition_folder(path("log"), "t", PartitionId(0)); }
  PartitionCheck verify(const Verification& how = {}) {
    auto check = verify_partition(io::system_disk(), folder(), how);
    EXPECT_TRUE(check) << check.error().message();
    return check.value_or(PartitionCheck{});
  }
  void flip(const std::string& path, uint64_t position) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(position));
    auto byte = static_cast<char>(file.get() ^ 0x10);
    file.seekp(static_cast<std::streamoff>(position));
    file.put(byte);
    ASSERT_TRUE(file.good()) << path << " " << position;
  }
  Result<void> cut(Offset end) { return cut_partition(io::system_disk(), folder(), end); }
  // After a cut the log opens, ends there, and goes on.
  void expect_whole_up_to(Offset end) {
    EXPECT_TRUE(verify().damages.empty());
    ASSERT_TRUE(open("log", {.segment_bytes = kSegmentBytes}));
    EXPECT_EQ(partition().end_offset(), end);
    EXPECT_EQ(count_all(), end - partition().start_offset());
    append(3);
    EXPECT_EQ(count_all(), end - partition().start_offset() + int64_t{3} * kRecords);
    log_.reset();
    EXPECT_TRUE(verify().damages.empty());
  }

  const uint64_t batch_bytes_ = batch_of(kRecords, kValueBytes).size();
  Offset end_;
};

TEST_F(VerifyTest, WhatIsWholeIsCounted) {
  make_log(20);
  int64_t seen = 0;
  auto check = verify({.each = [&](std::string_view batch, const record::BatchHeader& header) {
    EXPECT_EQ(batch.size(), header.size_bytes);
    seen += header.count;
    return Result<void>();
  }});
  EXPECT_EQ(check.start, Offset(0));
  EXPECT_EQ(check.end, end_);
  EXPECT_EQ(check.batches, 20);
  EXPECT_EQ(check.records, 20 * kRecords);
  EXPECT_EQ(seen, 20 * kRecords);
  EXPECT_EQ(check.bytes, 20 * batch_bytes_);
  EXPECT_TRUE(check.damages.empty());
  EXPECT_TRUE(check.bad_indexes.empty());
  EXPECT_EQ(check.torn_bytes, 0u);
}

TEST_F(VerifyTest, AFlippedBitAnywhereInAClosedLogIsFoundInItsBatch) {
  make_log(20);
  copy("log", "whole");
  // Every field of the header of the third batch, and something of its records.
  for (uint64_t byte = 0; byte < batch_bytes_; byte += byte < 61 ? 1 : 97) {
    copy("whole", "log");
    flip(file("log", 0, ".segment"), 2 * batch_bytes_ + byte);
    auto check = verify();
    ASSERT_EQ(check.damages.size(), 1u) << byte;
    const auto& damage = check.damages[0];
    EXPECT_EQ(damage.file, file("log", 0, ".segment"));
    EXPECT_EQ(damage.position, 2 * batch_bytes_) << byte;
    EXPECT_EQ(damage.offset, Offset(2 * kRecords));
    ASSERT_TRUE(damage.whole_from) << byte;
    EXPECT_GT(*damage.whole_from, damage.offset);
    EXPECT_FALSE(damage.why.empty());
    EXPECT_EQ(check.end, end_) << byte;
  }
}

TEST_F(VerifyTest, BehindABatchWithAWrongCrcTheNextIsReadAgain) {
  make_log(20);
  flip(file("log", 0, ".segment"), 2 * batch_bytes_ + 100);
  auto check = verify();
  ASSERT_EQ(check.damages.size(), 1u);
  EXPECT_EQ(check.damages[0].whole_from, Offset(3 * kRecords));
  EXPECT_THAT(check.damages[0].why, HasSubstr("CRC"));
  EXPECT_EQ(check.batches, 19);
}

TEST_F(VerifyTest, DamageInTheLastSegmentBeforeItsLastIndexRowIsNoTornTail) {
  make_log(3);
  flip(file("log", 0, ".segment"), 2 * batch_bytes_ + 100);
  auto check = verify();
  ASSERT_EQ(check.damages.size(), 1u);
  EXPECT_EQ(check.damages[0].offset, Offset(2 * kRecords));
  EXPECT_EQ(check.end, end_);
}

TEST_F(VerifyTest, ATornTailIsNoDamage) {
  make_log(3);
  std::filesystem::remove(file("log", 0, ".index"));
  flip(file("log", 0, ".segment"), 2 * batch_bytes_ + 100);
  auto check = verify();
  EXPECT_TRUE(check.damages.empty());
  EXPECT_EQ(check.end, Offset(2 * kRecords));
  EXPECT_GT(check.torn_bytes, batch_bytes_ - 10);
  EXPECT_LE(check.torn_bytes, batch_bytes_);
}

TEST_F(VerifyTest, AMissingSegmentIsDamage) {
  make_log(30);
  auto bases = std::vector<int64_t>();
  for (const auto& entry : std::filesystem::directory_iterator(folder()))
    if (entry.path().extension() == ".segment") bases.push_back(std::stoll(entry.path().stem()));
  std::ranges::sort(bases);
  ASSERT_GT(bases.size(), 3u);
  std::filesystem::remove(file("log", bases[1], ".segment"));
  auto check = verify();
  ASSERT_EQ(check.damages.size(), 1u);
  EXPECT_EQ(check.damages[0].offset, Offset(bases[1]));
  EXPECT_EQ(check.damages[0].whole_from, Offset(bases[2]));
  EXPECT_EQ(check.end, end_);
  ASSERT_TRUE(cut(Offset(bases[1])));
  expect_whole_up_to(Offset(bases[1]));
}

TEST_F(VerifyTest, ASegmentCutShortIsDamage) {
  make_log(20);
  std::filesystem::resize_file(file("log", 0, ".segment"), batch_bytes_ + 5);
  auto check = verify();
  ASSERT_EQ(check.damages.size(), 1u);
  EXPECT_EQ(check.damages[0].position, batch_bytes_);
  EXPECT_EQ(check.end, end_);
}

TEST_F(VerifyTest, AnIndexWithAFlippedBitIsFound) {
  make_log(20);
  flip(file("log", 0, ".index"), 9);
  auto check = verify();
  ASSERT_EQ(check.bad_indexes.size(), 1u);
  EXPECT_EQ(check.bad_indexes[0].file, file("log", 0, ".index"));
  std::filesystem::remove(file("log", 0, ".index"));
  EXPECT_TRUE(verify().bad_indexes.empty());
  expect_whole_up_to(end_);
}

TEST_F(VerifyTest, ALiveLogIsReadUpToItsDurableEnd) {
  ASSERT_TRUE(open("log", {.segment_bytes = kSegmentBytes}));
  append(20);
  auto check = verify({.live_start = Offset(0), .live_end = partition().end_offset()});
  EXPECT_EQ(check.records, 20 * kRecords);
  EXPECT_TRUE(check.damages.empty());
  // What is being written behind it is not looked at.
  ASSERT_TRUE(partition().write(batch_of(kRecords, kValueBytes)));
  check = verify({.live_start = Offset(0), .live_end = partition().end_offset()});
  EXPECT_EQ(check.records, 20 * kRecords);
  EXPECT_TRUE(check.damages.empty());
}

TEST_F(VerifyTest, CuttingAtTheDamageLeavesAWholeLog) {
  make_log(30);
  copy("log", "whole");
  for (int batch : {0, 2, 6, 7, 8, 20}) {
    copy("whole", "log");
    auto segments = verify();
    ASSERT_TRUE(segments.damages.empty());
    // The segment that holds the batch begins at the largest base not behind it.
    int64_t base = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
      if (entry.path().extension() == ".segment" &&
          std::stoll(entry.path().stem()) <= int64_t{batch} * kRecords)
        base = std::max<int64_t>(base, std::stoll(entry.path().stem()));
    auto in_segment = static_cast<uint64_t>(batch - base / kRecords);
    flip(file("log", base, ".segment"), in_segment * batch_bytes_ + 100);
    auto check = verify();
    ASSERT_EQ(check.damages.size(), 1u) << batch;
    Offset at = check.damages[0].offset;
    EXPECT_EQ(at, Offset(int64_t{batch} * kRecords));
    auto cut_there = cut(at);
    ASSERT_TRUE(cut_there) << cut_there.error().message();
    expect_whole_up_to(at);
  }
}

TEST_F(VerifyTest, ACutBehindDamageIsRefused) {
  make_log(20);
  flip(file("log", 0, ".segment"), 2 * batch_bytes_ + 100);
  auto behind = cut(Offset(3 * kRecords));
  ASSERT_FALSE(behind);
  EXPECT_EQ(behind.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(verify().end, end_);
}

TEST_F(VerifyTest, ACutIsBetweenBatches) {
  make_log(20);
  auto inside = cut(Offset(3 * kRecords + 1));
  ASSERT_FALSE(inside);
  EXPECT_EQ(inside.error().code(), ErrorCode::kInvalid);
  EXPECT_THAT(inside.error().message(),
              HasSubstr(fmt::format("begins at offset {}", 3 * kRecords)));
  EXPECT_EQ(verify().end, end_);
}

TEST_F(VerifyTest, TopicsAreFoundWithoutOpeningTheLog) {
  make_log(1);
  std::filesystem::create_directory(path("log") + "/~half");
  std::filesystem::create_directory(path("log") + "/no topic");
  EXPECT_THAT(topic_names(io::system_disk(), path("log")).value(), testing::ElementsAre("t"));
  EXPECT_EQ(topic_facts(io::system_disk(), path("log"), "t")->partitions, 1);
  EXPECT_TRUE(topic_names(io::system_disk(), path("nothing")).value().empty());
}

}  // namespace
}  // namespace millrace::log
