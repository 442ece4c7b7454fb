// What became of one test.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "spec/spec.h"

namespace millrace::rehearsal {

// Where a row is not what a test wants.
struct Difference {
  enum class Kind : uint8_t {
    kChanged,  // the row is there, with other values in some of the columns wanted
    kMissing,  // nothing is like the row wanted
    kExtra,    // no row wanted is like this one
  };
  struct Column {
    std::string name;
    std::string want;  // JSON; "" for kExtra
    std::string got;   // JSON; "" for kMissing
    bool same = false;
  };
  Kind kind = Kind::kChanged;
  std::string node;          // the table or topic; of a dead letter the source or table
  bool dead_letter = false;  // the columns are then rule, stage, error, and record for kExtra
  spec::Place place;         // of the row wanted; for kExtra of what named the node, if anything
  std::vector<Column> columns;
};

struct Outcome {
  std::string name;
  spec::Place place;
  std::chrono::microseconds took{0};
  std::vector<Difference> differences;  // none: passed
  // By source or table, how many records its SQL left out: what may explain a missing row.
  std::vector<std::pair<std::string, size_t>> filtered;

  bool passed() const { return differences.empty(); }
};

}  // namespace millrace::rehearsal
