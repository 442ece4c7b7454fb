// ${env:NAME}, ${env:NAME:-default} and ${secret:NAME} in the values of a pipeline file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "spec/spec.h"

namespace millrace::spec {

struct Expanded {
  // value[position…] up to the next part was text[from…], or the variable named there.
  struct Part {
    size_t position;
    size_t from;
    bool replaced;
  };
  std::string value;
  std::string shown;            // with "***" for secrets
  std::vector<Secret> secrets;  // one for each "***"
  std::vector<Part> parts;
};

// Replaces the variables of one value. `$${` stands for `${`. A default is taken where the variable
// is not set or empty, reaches to the matching brace, and may itself name variables.
// Errors: kInvalid for what is unset, unknown or without its closing brace.
Result<Expanded> expand(std::string_view text, const Variables& variables);

}  // namespace millrace::spec
