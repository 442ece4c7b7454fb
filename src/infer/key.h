// Which field of the items identifies them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "infer/observation.h"

namespace millrace::infer {

struct Key {
  std::vector<std::string> path;
  std::string why;      // "a uuid, different in all 100 items"
  bool is_sure = true;  // false: only that its values differ speaks for it
};

// The likeliest of the fields that are in every item, never null or empty, and different in each;
// nullopt: there is none. Adds to `notes` what speaks against the obvious.
std::optional<Key> guess_key(const Observation& items, std::vector<std::string>& notes);

}  // namespace millrace::infer
