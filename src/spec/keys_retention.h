// What a topic keeps: `7d`, `10GiB` or a map of both.
#pragma once

#include "spec/value.h"

namespace millrace::spec {

Value<RetentionSpec> retention();

}  // namespace millrace::spec
