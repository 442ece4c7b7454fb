// An Observation as a JSON Schema.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "infer/observation.h"

namespace millrace::infer {

// The schema of items that were seen like this, which schema::columns_from_json_schema() takes.
// Adds to `notes` what is unsure, each a sentence that begins with the path it is about.
nlohmann::ordered_json schema_of(const Observation& items, std::vector<std::string>& notes);

// Whether objects with these members are a map, from keys that are data ("2026-11-21", "u-1043")
// to values of one kind, rather than records with fields.
bool is_map(const Observation& object);

}  // namespace millrace::infer
