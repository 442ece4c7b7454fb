// The items of an API's response.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace millrace::sql {

// JSON texts handed to this room are followed by so many readable bytes, whatever is in them.
inline constexpr size_t kJsonPadding = 64;

// The lines of a response in JSON lines, without those of nothing but white space. What is in them
// is checked when they are decoded. The views lie in `response`.
void split_lines(std::string_view response, std::vector<std::string_view>& lines);

// Finds items in responses. Keeps memory between calls; belongs to one thread.
class ItemSplitter {
 public:
  ItemSplitter();
  ~ItemSplitter();

  // The JSON text of each element of the array found by following the object keys `path` from the
  // top of `response`; an object there instead of an array is one item, null or [] none. The views
  // lie in `response` and the returned span is valid until the next call.
  // Errors, with an excerpt: kInvalid where the response is not well-formed JSON up to its end
  // (what is inside items is checked when they are decoded, UTF-8 too); kNotFound where it has no
  // items at that path, with the names that are there.
  Result<std::span<const std::string_view>> split(std::string_view response,
                                                  std::span<const std::string> path);

  // The text of the string or number at `path` of the response that was split last; nullopt: there
  // is none, or something else stands there. Error: kInvalid where it cannot be read.
  Result<std::optional<std::string>> field(std::span<const std::string> path);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::sql
