// What a response is made of: where its items are, and what it says about further pages.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace millrace::infer {

struct Layout {
  std::vector<std::string> path;  // to the items; empty: the top
  std::string why;                // "a list of 100 objects"
  // What the response says of further pages, and what `page:` would follow it: a sentence.
  std::string paging;
};

// Finds the items in a JSON response: its list of objects, by preference under a name such as
// `results` or `data`; else the response itself is one item. Where `path` is given they are there.
// `response` is followed by sql::kJsonPadding readable bytes.
// Errors: kInvalid, no JSON, or nothing that could be items.
Result<Layout> layout_of(std::string_view response, std::span<const std::string> links,
                         const std::optional<std::vector<std::string>>& path);

}  // namespace millrace::infer
