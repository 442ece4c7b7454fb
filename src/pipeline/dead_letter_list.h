// Looking at dead letters, whether a pipeline runs or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/dead_letters.h"

namespace millrace::pipeline {

class Instance;

// Which dead letters; what is empty lets all through.
struct DeadLetterFilter {
  std::string node;  // a source or table
  std::string rule;
  std::string stage;
  bool lets_through(const DeadLetter& letter) const {
    return (rule.empty() || rule == letter.rule) && (stage.empty() || stage == letter.stage);
  }
};

// How many of a kind there are.
struct DeadLetterGroup {
  std::string node;
  std::string stage;
  std::string rule;
  int64_t open = 0;
  int64_t closed = 0;  // redriven, or taken after all; 0 where not asked for
};

struct DeadLetterList {
  std::vector<DeadLetter> newest;       // the newest first, up to the limit
  std::vector<DeadLetterGroup> groups;  // of all that the filter lets through; by node, most first
};

// `closed_too`: also those that are not open. Of 16 MiB of keys and values together on they are
// without them: see DeadLetter::has_record. Errors: kNotFound (no such node, or no record that was
// ever refused by such a rule), with the nearest name.
Result<DeadLetterList> list_dead_letters(Instance& instance, const DeadLetterFilter& filter,
                                         bool closed_too, size_t limit);

// `address`: NODE/PARTITION/OFFSET. Errors: kNotFound, kInvalid.
Result<DeadLetter> find_dead_letter(Instance& instance, std::string_view address);
// The node that refused it. Errors: the same.
Result<std::string> node_of_dead_letter(Instance& instance, std::string_view address);

}  // namespace millrace::pipeline
