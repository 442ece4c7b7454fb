// The answer of /v1/status for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "cli/display.h"
#include "cli/print_table.h"

namespace millrace::cli {

// Everything: pipeline, sources, topics, tables.
Result<void> print_status(const nlohmann::ordered_json& status, const Terminal& terminal,
                          const Emit& emit);
// What a run came to, as sums: where each item and each record went.
Result<void> print_summary(const nlohmann::ordered_json& status, const Terminal& terminal,
                           const Emit& emit);
// Whether every item and record that the summary counts is accounted for.
bool is_balanced(const nlohmann::ordered_json& status);

std::string rate_text(double per_s);  // "1,200/s"
// "12s", "3m 20s", "2h 5m", "3d 4h".
std::string span_text(int64_t milliseconds);

}  // namespace millrace::cli
