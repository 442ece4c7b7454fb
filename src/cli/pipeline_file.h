// Finding, reading and checking a pipeline file for a command.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "spec/spec.h"

namespace millrace::cli {

// `given`, or where that is empty the only pipeline file in the working directory.
// Errors: kNotFound, kInvalid (several), with what to type.
Result<std::string> choose_pipeline_file(const std::string& given, std::string_view command);

// Reads the file, checks it and its SQL. Errors: it cannot be read.
Result<spec::Loaded> load_and_check(const std::string& path);

// "users.yaml:12:7: error: …"
std::string to_line(const spec::Problem& problem);

}  // namespace millrace::cli
