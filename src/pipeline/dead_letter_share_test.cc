#include "pipeline/dead_letter_share.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::pipeline {
namespace {

using testing::HasSubstr;

bool is_allowed(const DeadLetterShare& share, int64_t records, int64_t refused) {
  return share.check_with(records, refused, "expect loud").has_value();
}

TEST(DeadLetterShareTest, FewerThanAHundredRecordsCountAsAHundred) {
  DeadLetterShare share(0.01);
  EXPECT_TRUE(is_allowed(share, 3, 1));
  EXPECT_FALSE(is_allowed(share, 3, 2));
  share.add(3, 1);
  EXPECT_FALSE(is_allowed(share, 96, 1));
  EXPECT_FALSE(is_allowed(share, 196, 1));
  EXPECT_TRUE(is_allowed(share, 197, 1));
}

TEST(DeadLetterShareTest, ZeroAllowsNotASingleOne) {
  DeadLetterShare share(0);
  EXPECT_TRUE(is_allowed(share, 1'000, 0));
  EXPECT_FALSE(is_allowed(share, 1'000'000, 1));
}

TEST(DeadLetterShareTest, AtOneAllMayBeRefused) {
  DeadLetterShare share(1);
  share.add(5'000, 5'000);
  EXPECT_TRUE(is_allowed(share, 5'000, 5'000));
}

TEST(DeadLetterShareTest, OfManyRecordsTheLastThousandCount) {
  DeadLetterShare share(0.1);
  share.add(100, 100);
  for (int i = 0; i < 9; ++i) share.add(100, 0);
  // With 99 more the first hundred still count, with 100 more they do not.
  EXPECT_FALSE(is_allowed(share, 99, 10));
  EXPECT_TRUE(is_allowed(share, 100, 100));
  share.add(100, 100);
  EXPECT_FALSE(is_allowed(share, 100, 1));
  for (int i = 0; i < 9; ++i) share.add(100, 0);
  EXPECT_TRUE(is_allowed(share, 100, 100));
}

TEST(DeadLetterShareTest, ABatchOfMoreThanThatCountsWhole) {
  DeadLetterShare share(0.1);
  share.add(1'000, 100);
  EXPECT_TRUE(is_allowed(share, 10'000, 1'000));
  auto refused = share.check_with(10'000, 1'001, "expect loud: note <> 'mute'");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kLimit);
  EXPECT_THAT(refused.error().message(),
              HasSubstr("1,001 of the last 10,000 records were refused, more than dead_letters: "
                        "{max: 10%} allows; one of them: expect loud: note <> 'mute'"));
}

}  // namespace
}  // namespace millrace::pipeline
