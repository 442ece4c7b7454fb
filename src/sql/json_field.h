// One scalar out of a JSON text.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace millrace::sql {

// Keeps memory between calls; belongs to one thread.
class FieldReader {
 public:
  FieldReader();
  ~FieldReader();
  FieldReader(FieldReader&&) noexcept;

  struct Scalar {
    std::string text;        // a string's, or a number as it is written
    std::string_view token;  // as it is written, in the JSON text
  };
  // The string or number found by following the object keys `path` from the top of `json`
  // (kJsonPadding readable bytes behind it). nullopt: there is none, or something else stands
  // there. Error: kInvalid, the text on the way to it is no JSON.
  Result<std::optional<Scalar>> read(std::string_view json, std::span<const std::string> path);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::sql
