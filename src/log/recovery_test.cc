// What opening makes of files that a crash, or a bad disk, left.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "log/test_log.h"

namespace millrace::log {
namespace {

using testing::HasSubstr;

class RecoveryTest : public LogTest {
 protected:
  // Changes bytes of a file of the log "crashed".
  void overwrite(const std::string& path, uint64_t position, std::string_view bytes) {
    auto opened = io::system_disk().open(path, io::File::Mode::kReadWrite);
    ASSERT_TRUE(opened);
    ASSERT_TRUE(opened->write_at(position, bytes));
  }
  std::string bytes_at(const std::string& path, uint64_t position, size_t size) {
    std::string bytes(size, '\0');
    auto opened = io::system_disk().open(path, io::File::Mode::kRead);
    EXPECT_TRUE(opened && opened->read_at(position, bytes.data(), size));
    return bytes;
  }
  void flip(const std::string& path, uint64_t position) {
    std::string byte = bytes_at(path, position, 1);
    byte[0] = static_cast<char>(byte[0] ^ 0x10);
    overwrite(path, position, byte);
  }
};

// Lets no file of this process grow past `bytes`, for as long as it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(RecoveryTest, TornTailAtEveryByteIsCut) {
  ASSERT_TRUE(open("log", {.segment_bytes = 8'192}));
  std::string batch = batch_of(2);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(partition().append(batch));
  std::string last = batch_of(3, 30);
  ASSERT_TRUE(partition().append(last));
  copy("log", "whole");
  uint64_t begin = 5 * batch.size();
  enum class Tear { kShortFile, kZeros, kGarbage };
  for (auto tear : {Tear::kShortFile, Tear::kZeros, Tear::kGarbage}) {
    for (uint64_t cut = begin; cut < begin + last.size(); ++cut) {
      copy("whole", "crashed");
      std::string segment = file("crashed", 0, ".segment");
      size_t lost = static_cast<size_t>(begin + last.size() - cut);
      // A batch ends in its last record's number of headers: losing a zero is no loss.
      if (tear == Tear::kZeros && lost == 1) continue;
      if (tear == Tear::kShortFile) std::filesystem::resize_file(segment, cut);
      if (tear == Tear::kZeros) overwrite(segment, cut, std::string(lost, '\0'));
      if (tear == Tear::kGarbage) overwrite(segment, cut, std::string(lost, '\xa5'));
      ASSERT_TRUE(open("crashed", {.segment_bytes = 8'192}));
      ASSERT_EQ(partition().end_offset(), Offset(10)) << "cut at " << cut;
      ASSERT_EQ(count_all(), 10);
      ASSERT_EQ(partition().append(batch), Offset(10));
      ASSERT_TRUE(open("crashed", {.segment_bytes = 8'192}));
      ASSERT_EQ(count_all(), 12);
    }
  }
}

TEST_F(RecoveryTest, WholeBatchesBehindATornOneNeverComeBack) {
  ASSERT_TRUE(open());
  std::string batch = batch_of(2);
  ASSERT_TRUE(partition().append(batch));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(partition().write(batch));
  copy("log", "crashed");
  flip(file("crashed", 0, ".segment"), batch.size() + 80);  // the second of four
  ASSERT_TRUE(open("crashed"));
  EXPECT_EQ(count_all(), 2);
  // Ends where the third began, whose offset would fit.
  EXPECT_EQ(partition().append(batch), Offset(2));
  copy("crashed", "again");
  ASSERT_TRUE(open("again"));
  EXPECT_EQ(count_all(), 4);
}

TEST_F(RecoveryTest, UnsyncedBatchesThatReachedTheFileAreKept) {
  ASSERT_TRUE(open());
  std::string batch = batch_of(2, 9'000);
  ASSERT_TRUE(partition().append(batch));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(partition().write(batch));
  copy("log", "crashed");
  ASSERT_TRUE(open("crashed"));
  EXPECT_EQ(count_all(), 8);
}

TEST_F(RecoveryTest, DamageBeforeTheEndIsNeverCut) {
  ASSERT_TRUE(open());
  std::string batch = batch_of(10, 500);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(partition().append(batch));
  copy("log", "crashed");
  uint64_t position = 2 * batch.size();
  flip(file("crashed", 0, ".segment"), position + 200);
  ASSERT_TRUE(open("crashed"));
  EXPECT_EQ(partition().end_offset(), Offset(200));
  std::string buffer;
  EXPECT_EQ(partition().read(Offset(0), 2 * batch.size(), buffer)->size(), 2 * batch.size());
  auto damaged = partition().read(Offset(0), kReadBytes, buffer);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(damaged.error().message(), HasSubstr(file("crashed", 0, ".segment")));
  EXPECT_THAT(damaged.error().message(), HasSubstr(fmt::format("at byte {}:", position)));
  EXPECT_EQ(partition().read(Offset(25), 1, buffer).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(read_all(partition(), Offset(100)), 100);
}

TEST_F(RecoveryTest, EveryFlippedBitOfABatchIsSeen) {
  ASSERT_TRUE(open());
  std::string batch = batch_of(1, 3);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(partition().append(batch));
  std::string segment = file("log", 0, ".segment");
  std::string buffer;
  for (uint64_t at = batch.size(); at < 2 * batch.size(); ++at) {
    std::string original = bytes_at(segment, at, 1);
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = original;
      flipped[0] = static_cast<char>(flipped[0] ^ (1 << bit));
      overwrite(segment, at, flipped);
      auto read = partition().read(Offset(1), kReadBytes, buffer);
      ASSERT_FALSE(read) << "byte " << at << " bit " << bit;
      EXPECT_EQ(read.error().code(), ErrorCode::kCorrupt);
    }
    overwrite(segment, at, original);
  }
  EXPECT_EQ(count_all(), 3);
}

TEST_F(RecoveryTest, WhatWasClosedIsNeverCut) {
  ASSERT_TRUE(open());
  std::string batch = batch_of(1);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(partition().append(batch));
  log_.reset();
  copy("log", "crashed");
  std::filesystem::resize_file(file("crashed", 0, ".segment"), 3 * batch.size() - 1);
  auto opened = open("crashed");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt);
}

TEST_F(RecoveryTest, SegmentsThatAreNotTheLastMustBeWhole) {
  Options small{.segment_bytes = 4'096};
  ASSERT_TRUE(open("log", small));
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(partition().append(batch_of(3, 300)));
  const int64_t second = 12;  // four batches of 3 records to a segment
  ASSERT_EQ(io::file_exists(file("log", second, ".segment")), true);

  copy("log", "crashed");
  std::filesystem::remove(file("crashed", 0, ".index"));
  ASSERT_TRUE(open("crashed", small));
  EXPECT_EQ(count_all(), 120);
  log_.reset();
  EXPECT_EQ(io::file_exists(file("crashed", 0, ".index")), true);

  copy("log", "crashed");
  std::filesystem::remove(file("crashed", 0, ".index"));
  flip(file("crashed", 0, ".segment"), 100);
  auto opened = open("crashed", small);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(opened.error().message(), HasSubstr("at byte 0: the batch at offset 0"));

  copy("log", "crashed");
  std::filesystem::remove(file("crashed", second, ".segment"));
  opened = open("crashed", small);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(opened.error().message(), HasSubstr("the next segment begins at offset 24"));
}

TEST_F(RecoveryTest, DamagedIndexesAreRebuilt) {
  const Options small{.segment_bytes = size_t{1} << 20};
  ASSERT_TRUE(open("log", small));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(partition().append(batch_of(2, 3'000)));
  log_.reset();
  uint64_t size = std::filesystem::file_size(file("log", 0, ".index"));
  EXPECT_EQ(size % 24, 0u);
  EXPECT_GT(size, 20 * 24u);
  for (uint64_t position = 0; position < size; position += 11) {
    copy("log", "crashed");
    flip(file("crashed", 0, ".index"), position);
    ASSERT_TRUE(open("crashed", small));
    EXPECT_EQ(partition().end_offset(), Offset(200));
    EXPECT_EQ(read_all(partition(), Offset(150)), 50);
    log_.reset();
    EXPECT_EQ(std::filesystem::file_size(file("crashed", 0, ".index")) % 24, 0u);
    ASSERT_TRUE(open("crashed", {.read_only = true}));
    EXPECT_EQ(count_all(), 200);
  }
}

TEST_F(RecoveryTest, KilledWriterLosesNothingThatItAcknowledged) {
  const Options small{.segment_bytes = 20'000};
  int64_t acknowledged = 0;
  for (int round = 1; round <= 10; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    pid_t child = ::fork();
    if (child == 0) {
      if (!open("log", small)) ::_exit(1);
      for (;;) {
        auto offset = partition().append(batch_of(3, 500));
        if (!offset) ::_exit(1);
        int64_t end = offset->value + 3;
        if (::write(ends[1], &end, sizeof end) != sizeof end) ::_exit(1);
      }
    }
    ::close(ends[1]);
    for (int i = 0; i < 7 * round; ++i)
      ASSERT_EQ(::read(ends[0], &acknowledged, sizeof acknowledged), 8);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    int64_t late = 0;
    while (::read(ends[0], &late, sizeof late) == 8) acknowledged = late;
    ::close(ends[0]);
    ASSERT_TRUE(open("log", small));
    ASSERT_GE(partition().end_offset(), Offset(acknowledged));
    ASSERT_EQ(count_all(), partition().end_offset().value);
    log_.reset();
  }
}

TEST_F(RecoveryTest, AfterAFailedWriteOnlyReadsGoOnUntilReopened) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(partition().append(batch_of(2)));
  {
    FileSizeLimit limit(1);
    EXPECT_EQ(partition().append(batch_of(2)).error().code(), ErrorCode::kIo);
  }
  auto refused = partition().append(batch_of(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kIo);
  EXPECT_THAT(refused.error().message(), HasSubstr("File too large"));
  EXPECT_EQ(partition().truncate(Offset(0)).error().code(), ErrorCode::kIo);
  EXPECT_EQ(count_all(), 2);
  ASSERT_TRUE(open());
  EXPECT_EQ(partition().append(batch_of(2)), Offset(2));
}

TEST_F(RecoveryTest, WithoutRoomForASegmentNothingIsLostAndAppendsCanGoOn) {
  Options small{.segment_bytes = 4'096};
  ASSERT_TRUE(open("log", small));
  ASSERT_TRUE(partition().append(batch_of(1, 4'000)));
  {
    FileSizeLimit limit(1);
    EXPECT_EQ(partition().append(batch_of(2)).error().code(), ErrorCode::kIo);
    EXPECT_EQ(partition().append(batch_of(2)).error().code(), ErrorCode::kIo);
  }
  EXPECT_EQ(partition().append(batch_of(2)), Offset(1));
  EXPECT_EQ(count_all(), 3);
}

TEST_F(RecoveryTest, UnfinishedTopicsAreForgotten) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(io::make_directories(path("log/~new/0")));
  ASSERT_TRUE(io::make_directories(path("log/empty")));
  ASSERT_TRUE(io::make_directories(path("log/lost+found")));
  ASSERT_TRUE(open());
  EXPECT_EQ(log_->topics().size(), 1u);
  EXPECT_EQ(io::file_exists(path("log/~new")), false);
  EXPECT_TRUE(log_->create_topic("new", 2, ""));
  EXPECT_TRUE(log_->create_topic("empty", 2, ""));
  ASSERT_TRUE(open());
  EXPECT_EQ(log_->topics().size(), 3u);
}

TEST_F(RecoveryTest, TopicFilesThatMakeNoSenseAreNamed) {
  ASSERT_TRUE(open());
  log_.reset();
  for (const char* bad : {"", "{}", "[1]", R"({"format": 1, "name": "t", "partitions": 1})"}) {
    ASSERT_TRUE(io::write_file_atomic(path("log/t/topic.json"), bad));
    auto opened = open();
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt);
    EXPECT_THAT(opened.error().message(), HasSubstr(path("log/t/topic.json")));
  }
  ASSERT_TRUE(io::write_file_atomic(path("log/t/topic.json"), R"({"format": 2})"));
  EXPECT_EQ(open().error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace millrace::log
