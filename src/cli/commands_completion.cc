// completion: scripts that make shells complete commands, options and names.
#include <memory>

#include "cli/commands.h"
#include "cli/completion.h"

namespace millrace::cli {

void add_completion_command(Commands& commands) {
  auto shell = std::make_shared<std::string>();
  auto* app = commands.add(nullptr, "completion", "Print a script that completes commands with Tab",
                           [shell](Session& session) -> Result<int> {
                             MR_TRY(session.out().write(completion_script(*shell)));
                             return 0;
                           });
  app->add_option("bash|zsh|fish", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
}

}  // namespace millrace::cli
