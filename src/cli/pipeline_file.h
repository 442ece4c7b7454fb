// Finding, reading and checking a pipeline file for a command.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/plan.h"
#include "rehearsal/rehearsal.h"
#include "spec/spec.h"
#include "sql/engine.h"

namespace millrace::cli {

// `given`, or where that is empty the only pipeline file in the working directory.
// Errors: kNotFound, kInvalid (several), with what to type.
Result<std::string> choose_pipeline_file(const std::string& given, std::string_view command);

// A pipeline file, its SQL compiled where nothing is wrong with the file, and a stage for its tests
// where nothing is wrong with the SQL. Problems of all three are in `loaded`.
struct Checked {
  spec::Loaded loaded;
  std::unique_ptr<sql::Engine> engine;
  pipeline::Plan plan;
  std::optional<rehearsal::Stage> stage;
};
// Errors: the file cannot be read.
Result<std::unique_ptr<Checked>> check_file(const std::string& path);
// The same for those who want to know only what is wrong.
Result<spec::Loaded> load_and_check(const std::string& path);

// "users.yaml:12:7: error: …"
std::string to_line(const spec::Problem& problem);

}  // namespace millrace::cli
