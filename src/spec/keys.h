// The keys of the pipeline file.
#pragma once

#include "spec/value.h"

namespace millrace::spec {

// The whole file. Reading, lint, editor_schema() and reference() all come from this.
Value<Pipeline> pipeline_file();

// The part of it that says how an API is asked (keys_http.cc), and for what next (keys_page.cc).
Value<HttpSpec> http();
Value<PageSpec> page();
Value<SinceSpec> since();

}  // namespace millrace::spec
