// YAML values that stand for JSON values: what a test gives and wants.
#pragma once

#include <optional>
#include <string>

#include "spec/reader.h"

namespace millrace::spec {

// The JSON text of a value: quoted text and words are strings, 76100 and -0.5e3 numbers with every
// digit as written, true, false and null themselves; `<<: *name` takes over the keys of a map that
// was named with `&name`. Variables are replaced and then stand for text.
// nullopt: it cannot be JSON, or is not clear (01234), which is then reported.
std::optional<std::string> json_of(Reader& reader, const Item& item);

}  // namespace millrace::spec
