// One user of sample://randomuser, as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "source/random.h"
#include "source/sample_names.h"

namespace millrace::source {

// A user in the making. Each field draws from `random` in turn, so a field must be made, even one
// that is not wanted, for those after it to come out the same.
struct SampleUser {
  Random random;
  const Nation* nation;
  bool man;
  std::string_view first = {};
  std::string_view last = {};
  int64_t born_ms = 0;  // since 1970-01-01
};

struct SampleField {
  std::string_view name;
  // Appends the field's JSON value.
  void (*write)(SampleUser& user, std::string& to);
};

// In the order in which they are made and written.
std::span<const SampleField> sample_fields();

}  // namespace millrace::source
