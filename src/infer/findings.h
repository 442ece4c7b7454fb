// What samples say about the items that an API gives.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "infer/key.h"
#include "infer/response.h"
#include "infer/sample.h"

namespace millrace::infer {

struct Findings {
  Layout layout;
  Sample::Format format = Sample::Format::kJson;
  bool format_is_told = false;    // see Sample
  size_t items = 0;               // looked at, each once
  nlohmann::ordered_json schema;  // of an item
  std::optional<Key> key;
  std::vector<std::string> notes;  // what is unsure or was left out
  std::string item;                // one of them, JSON
};

// Looks at all items of the samples, which are answers of one API. `path`: where the items are, if
// that is known. Errors: kInvalid, kNotFound (no items), with the sample's name.
Result<Findings> look_at(std::span<const Sample> samples,
                         const std::optional<std::vector<std::string>>& path);

}  // namespace millrace::infer
