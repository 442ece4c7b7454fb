// JSON Pointers (RFC 6901), as JSON Schemas use them to name their own parts.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace millrace::schema {

// A property name as one token of a pointer: "a/b" -> "a~1b".
std::string pointer_token(std::string_view name);

// The part of `document` at a pointer in URI form ("/$defs/a%20name"; "" is the document), or null.
const nlohmann::ordered_json* find_pointer(const nlohmann::ordered_json& document,
                                           std::string_view pointer);

}  // namespace millrace::schema
