// The columns of a drafted pipeline: a name and an expression for every field of an item.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace millrace::infer {

struct DraftColumn {
  std::vector<std::string> path;
  std::string alias;
  const nlohmann::ordered_json* schema;  // of the field
};

// Of the schema's fields, down through objects, in their order; `key` first, and called `id` where
// nothing else is. Names are lower-case, as tables and SQL have them, and no two are the same.
std::vector<DraftColumn> draft_columns(const nlohmann::ordered_json& schema,
                                       const std::vector<std::string>& key);

// The path as SQL: location."time zone".offset.
std::string sql_path(const std::vector<std::string>& path);

}  // namespace millrace::infer
