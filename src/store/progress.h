// How far a table has come.
#pragma once

#include <cstdint>

#include "base/id.h"

namespace millrace::store {

// How far a table has read one partition of its topic, and what became of those records.
struct Progress {
  Offset next;  // the first record not yet read
  int64_t written = 0;
  int64_t filtered = 0;
  int64_t dead_letters = 0;  // those still open
  int64_t redriven = 0;      // that were dead letters, and are written or filtered now
  int64_t removed = 0;       // from the topic, before the table read them
};

}  // namespace millrace::store
