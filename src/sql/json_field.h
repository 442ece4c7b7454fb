// One scalar out of a JSON text.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace::sql {

// Keeps memory between calls; belongs to one thread.
class FieldReader {
 public:
  FieldReader();
  ~FieldReader();
  FieldReader(FieldReader&&) noexcept;

  // The string or number (as it is written) found by following the object keys `path` from the top
  // of `json` (kJsonPadding readable bytes behind it). nullopt: there is none, something else
  // stands there, or the text on the way to it is no JSON.
  std::optional<std::string> read(std::string_view json, std::span<const std::string> path);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::sql
