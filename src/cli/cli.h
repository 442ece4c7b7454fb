// cli: the commands of the binary. Makes every object that is made once: logger, clock, instance,
// API, server; and prints.
//
// A command is a request to the API, whose answer it prints: over the socket of the data directory
// where a pipeline runs, in this process where none does. Only `up` and `lint` do more.
// Promises: what was asked for goes to stdout, everything else to stderr; exit status 0: done,
// 1: failed, 2: not understood. Colour and cutting only on terminals.
#pragma once

#include <string_view>

namespace millrace::cli {

// Returns the exit status.
int run(int argc, char** argv, std::string_view version);

}  // namespace millrace::cli
