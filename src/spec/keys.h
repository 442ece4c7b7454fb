// The keys of the pipeline file.
#pragma once

#include "spec/value.h"

namespace millrace::spec {

// The whole file. Reading, lint, editor_schema() and reference() all come from this.
Value<Pipeline> pipeline_file();

}  // namespace millrace::spec
