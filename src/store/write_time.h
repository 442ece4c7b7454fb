// What reconciles writes of a cell.
#pragma once

#include <compare>
#include <cstdint>

#include "base/place.h"

namespace millrace::store {

// The higher one wins.
struct WriteTime {
  int64_t timestamp_us = 0;  // microseconds since 1970
  Place place;               // of the record that was written: it decides where timestamps tie
  friend auto operator<=>(const WriteTime&, const WriteTime&) = default;
};

}  // namespace millrace::store
