// What the machine is like that a data directory is on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/finding.h"

namespace millrace::cli {

// Processor, memory, open files, clock, versions; of the data directory's file system its room and
// how long fdatasync takes, for which a small file is written and removed. Where there is no data
// directory yet, of the nearest folder above it.
std::vector<pipeline::Finding> examine_machine(const std::string& data_dir,
                                               std::string_view version);

// Whose a folder is that is there, and who else may look into it.
pipeline::Finding examine_folder(const std::string& data_dir);

}  // namespace millrace::cli
