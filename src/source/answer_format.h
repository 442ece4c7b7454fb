// What a response is written in.
#pragma once

#include <string_view>

#include "base/error.h"
#include "spec/spec.h"

namespace millrace::source {

// Json, JsonLines or Csv: what the source's `format` says, else what the Content-Type does, else
// what the body begins with. An empty body with none of these is Json.
// Error: kInvalid where it is something else, and named: an HTML page, XML, a type unknown.
Result<spec::Format> format_of(spec::Format wanted, std::string_view content_type,
                               std::string_view body);

}  // namespace millrace::source
