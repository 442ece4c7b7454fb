// The body of a POST in the pipeline file.
#pragma once

#include "spec/value.h"

namespace millrace::spec {

// Text as it stands, or a map or a list that becomes JSON. In JSON, what YAML would read as a
// number, true, false or null is one, after variables were replaced; what stands in quotes, or has
// a secret in it, is text. Stored in `body` and `body_is_json`.
Value<HttpSpec> http_body();

}  // namespace millrace::spec
