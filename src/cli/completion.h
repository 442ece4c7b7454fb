// What a shell offers when somebody presses Tab.
#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>
#include <string_view>

namespace millrace::cli {

// A line for each thing that may stand in the place of the last of `words`, which is what is being
// typed; the others are those between it and the program's name. A line is what to type, and where
// there is something to say about it a tab and that. ":files", ":files ENDING" and ":folders" ask
// the shell for those. Commands and options come from `app`, names of topics, tables and the like
// from the data directory that the words or the environment name.
std::string complete(CLI::App& app, std::span<const std::string> words, std::string_view version);

// A script for "bash", "zsh" or "fish" that asks `millrace complete WORD…`; "" for any other.
std::string_view completion_script(std::string_view shell);

}  // namespace millrace::cli
