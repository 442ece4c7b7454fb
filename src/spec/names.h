// Values that are names, or lists of them.
#pragma once

#include <string>
#include <vector>

#include "spec/value.h"

namespace millrace::spec {

// `a.b`, or a list of keys.
Value<std::vector<std::string>> path();

// A name, or a list of names that differ.
Value<std::vector<std::string>> columns();

// A name, or a list: the first is the partition key, or a list of its columns, the rest cluster.
Value<TableSpec> primary_key();

}  // namespace millrace::spec
