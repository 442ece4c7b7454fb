// Findings as people and programs read them.
#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "cli/session.h"
#include "pipeline/finding.h"

namespace millrace::cli {

// One line each with its verdict, under its part's name, and what can be mended below it; as JSON
// where the session says so. Returns the exit status: 1 where one is an error.
Result<int> print_findings(Session& session, std::span<const pipeline::Finding> findings);

}  // namespace millrace::cli
