// Which of two records of one timestamp is the later one.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

#include "base/id.h"

namespace millrace {

// Where a record stands in its partition. What was refused before it came to the topic, and was
// taken later, stands where it would have been: before the record that came there instead of it.
// Several before the same record stand in the order of their dead letters.
struct Place {
  static constexpr int64_t kNoDeadLetter = std::numeric_limits<int64_t>::max();

  Offset offset;  // the record's own, or that of the record that it stands before
  int64_t dead_letter = kNoDeadLetter;  // of what was taken later: the offset of its dead letter

  constexpr bool is_before() const { return dead_letter != kNoDeadLetter; }
  friend constexpr auto operator<=>(const Place&, const Place&) = default;
};

}  // namespace millrace
