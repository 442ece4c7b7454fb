#include "cli/confirm.h"

#include <unistd.h>

#include <iostream>

namespace millrace::cli {

Result<void> confirm(const Session& session, std::span<const std::string> what, bool yes) {
  for (const auto& line : what) fmt::print(stderr, "{}\n", printable(line));
  if (yes) return {};
  if (isatty(STDIN_FILENO) != 1 || !session.err().is_terminal)
    return fail(ErrorCode::kInvalid, "nothing was changed: --yes does it");
  fmt::print(stderr, "type yes to do it: ");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return {};
  return fail(ErrorCode::kInvalid, "nothing was changed");
}

}  // namespace millrace::cli
