// What was seen at one place of many JSON items.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"

namespace millrace::infer {

// Forms that a text may have; a set of bits.
enum Form : uint8_t {
  kUuidForm = 1,
  kDateForm = 2,
  kTimeForm = 4,
  kTimestampForm = 8,  // a date alone has it too
  kEmailForm = 16,
  kUriForm = 32,
  kAllForms = 63,
};

struct Observation {
  struct Member;

  // How many values of each kind.
  size_t nulls = 0;
  size_t booleans = 0;
  size_t integers = 0;
  size_t fractions = 0;  // numbers with a point or an exponent
  size_t strings = 0;
  size_t objects = 0;
  size_t arrays = 0;

  bool beyond_53_bits = false;   // an integer that a double does not have
  bool beyond_64_bits = false;   // an integer
  bool beyond_128_bits = false;  // an integer
  bool beyond_double = false;    // any number
  bool has_empty_string = false;
  uint8_t forms = kAllForms;  // that all strings have

  // Strings and integers, hashed, to find out whether one came twice.
  std::unordered_set<size_t> values;
  bool repeated = false;

  std::vector<Member> members;  // of objects, in the order in which they were first seen
  std::unordered_map<std::string, size_t> member_at;
  std::unique_ptr<Observation> element;  // of arrays; null: all were empty

  size_t numbers() const { return integers + fractions; }
  size_t seen() const { return nulls + booleans + numbers() + strings + objects + arrays; }
  // Adds what was seen elsewhere, as if it had been seen here; values are not compared.
  void merge(const Observation& other);
};

struct Observation::Member {
  std::string name;
  size_t in_objects = 0;  // how many objects had it
  size_t last_object = 0;
  std::unique_ptr<Observation> observation;
};

// Looks at one item; `json` is followed by sql::kJsonPadding readable bytes. Error: kInvalid, it is
// no JSON object; the observation has then perhaps seen a part of it.
Result<void> observe_item(std::string_view json, Observation& observation);
// Whether it is a whole JSON object, so that observe_item() sees all of it.
Result<void> check_item(std::string_view json);

}  // namespace millrace::infer
