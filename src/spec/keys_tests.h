// The keys of the pipeline file's tests.
#pragma once

#include "spec/value.h"

namespace millrace::spec {

// The map `tests:`.
Value<std::vector<TestSpec>> tests();

}  // namespace millrace::spec
