// What tests of a pipeline file came to, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "cli/display.h"
#include "rehearsal/rehearsal.h"

namespace millrace::cli {

// "✓ NAME  0.8 ms", and under a test that failed each difference: the row wanted beside the row
// that was made, column by column. Whole lines.
std::string test_text(const rehearsal::Outcome& outcome, const Terminal& terminal);

// One JSON object in one line.
std::string tests_json(const std::string& file, const std::vector<rehearsal::Outcome>& outcomes);

}  // namespace millrace::cli
