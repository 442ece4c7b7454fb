// JSON values as YAML.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace millrace::infer {

// A value that a pipeline file can have: text in quotes, with `${` as `$${`; in one line where that
// is short, else over lines indented by `indent` and more. Begins where the value begins, after a
// "key:" or "-" and before the space.
std::string yaml_value(const nlohmann::ordered_json& value, size_t indent);
// A text in double quotes.
std::string yaml_text(std::string_view text);
// The same where `${` in it begins a variable.
std::string yaml_text_with_variables(std::string_view text);

}  // namespace millrace::infer
