// A header that an API asks for, as people give it: "Name: value".
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "spec/spec.h"

namespace millrace::infer {

struct Header {
  std::string name;
  std::string written;  // the value as a pipeline file has it: "Bearer ${secret:TOKEN}"
  spec::Text value;
};

// Variables are replaced as in a pipeline file. Errors: kInvalid where it is no header, where a
// variable is not set, and where a header that may be a secret (Authorization, X-Api-Key) names no
// variable: its value would stand in the draft. No error has a value in it.
Result<Header> parse_header(std::string_view text, const spec::Variables& variables);

}  // namespace millrace::infer
