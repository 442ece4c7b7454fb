// What was written and is not shown yet: nobody sees it, whatever else is done to the partition.
#include "io/simulated_disk.h"
#include "log/test_log.h"

namespace millrace::log {
namespace {

using std::chrono::milliseconds;
using Fault = io::SimulatedDisk::Fault;

class UnshownTest : public LogTest {
 protected:
  // A log on a disk of its own, whose partition shows one batch.
  void make() {
    log_.reset();
    disk_ = std::make_unique<io::SimulatedDisk>(1);
    ASSERT_TRUE(open());
    ASSERT_TRUE(partition().append(batch_of(kShown)));
  }
  void TearDown() override {
    log_.reset();  // before the disk
    LogTest::TearDown();
  }
  Result<void> open() {
    return LogTest::open("log", {.segment_bytes = kSegmentBytes, .disk = &*disk_});
  }
  // Retention looks at it when all records are past the time.
  void look() { (void)partition().kept_from({.time = milliseconds(0)}, INT64_MAX / 2); }

  static constexpr size_t kSegmentBytes = 4'096;
  static constexpr int kShown = 3;

  std::unique_ptr<io::SimulatedDisk> disk_;
};

TEST_F(UnshownTest, RetentionDoesNotShowIt) {
  make();
  ASSERT_TRUE(partition().write(batch_of(2)));
  look();
  EXPECT_EQ(partition().end_offset(), Offset(kShown));
  ASSERT_TRUE(partition().flush());
  look();
  EXPECT_EQ(partition().end_offset(), Offset(kShown));
}

TEST_F(UnshownTest, ANewSegmentDoesNotShowIt) {
  make();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(partition().write(batch_of(2, 500)));
  EXPECT_EQ(partition().end_offset(), Offset(kShown));
  std::string buffer;
  auto bytes = partition().read(Offset(0), size_t{1} << 20, buffer);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->size(), batch_of(kShown).size());
}

TEST_F(UnshownTest, NobodySeesWhatIsTakenBack) {
  uint64_t call = 0;
  for (bool failed = true; failed;) {
    SCOPED_TRACE(++call);
    make();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(partition().write(batch_of(2, 500)));
    ASSERT_TRUE(partition().flush());
    disk_->plan(call, Fault::kError);
    auto cut = partition().truncate(Offset(kShown));
    failed = !cut;
    disk_->forget_plan();
    EXPECT_EQ(partition().end_offset(), Offset(kShown));
    if (failed) continue;
    EXPECT_EQ(partition().append(batch_of(2)), Offset(kShown));
    ASSERT_TRUE(open());
    EXPECT_EQ(count_all(), kShown + 2);
  }
  EXPECT_GT(call, 5u);
}

TEST_F(UnshownTest, SpaceThatIsReservedStaysSoWhileRetentionLooks) {
  make();
  auto batch = batch_of(2, 500);
  auto space = partition().reserve(batch.size());
  ASSERT_TRUE(space);
  disk_->set_capacity(1);
  look();
  EXPECT_EQ(partition().append(batch), Offset(kShown));
}

}  // namespace
}  // namespace millrace::log
