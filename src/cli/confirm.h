// Asking before something is removed for good.
#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "cli/session.h"

namespace millrace::cli {

// Says what is about to happen, to stderr, and asks for a "yes" unless `yes` has said it already.
// Errors: kInvalid, where the answer is another, or where nobody can be asked.
Result<void> confirm(const Session& session, std::span<const std::string> what, bool yes);

}  // namespace millrace::cli
