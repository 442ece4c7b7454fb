// The answer of /v1/status as `up` shows it while it runs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/display.h"

namespace millrace::cli {

// A header and a line for each node: its numbers, or what it waits for. Fits the terminal: names
// are cut in their middle, columns of numbers left out, and of more nodes than there are lines
// those that wait are shown first; the rest is counted.
std::vector<std::string> live_lines(const nlohmann::ordered_json& status, const Terminal& terminal);

}  // namespace millrace::cli
