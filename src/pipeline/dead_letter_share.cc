#include "pipeline/dead_letter_share.h"

#include <algorithm>

#include "base/limits.h"
#include "base/text.h"

namespace millrace::pipeline {

void DeadLetterShare::add(int64_t records, int64_t refused) {
  batches_.push_back({records, refused});
  sum_.records += records;
  sum_.refused += refused;
  while (sum_.records - batches_.front().records >= limits::kShareRecords) {
    sum_.records -= batches_.front().records;
    sum_.refused -= batches_.front().refused;
    batches_.pop_front();
  }
}

Result<void> DeadLetterShare::check_with(int64_t records, int64_t refused,
                                         const std::string& newest) const {
  DeadLetterShare with = *this;
  with.add(records, refused);
  auto [all, bad] = with.sum_;
  auto counted = static_cast<double>(std::max(all, limits::kShareRecordsMin));
  if (static_cast<double>(bad) <= max_ * counted) return {};
  return fail(ErrorCode::kLimit,
              "{} of the last {} records were refused, more than dead_letters: {{max: {:g}%}} "
              "allows; one of them: {}",
              with_thousands(bad), with_thousands(all), max_ * 100, newest);
}

}  // namespace millrace::pipeline
