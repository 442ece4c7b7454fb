// Checks across a pipeline's sources, topics and tables.
#pragma once

#include "spec/reader.h"
#include "spec/spec.h"

namespace millrace::spec {

// Reports names that nothing has, topics fed twice or never, and names that SQL cannot tell apart.
// What is empty because it was wrong in itself is not reported again.
void check(const Pipeline& pipeline, Reader& reader);

}  // namespace millrace::spec
