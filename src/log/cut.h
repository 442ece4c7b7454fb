// Cutting a partition whose log may be damaged, and so cannot be opened.
#pragma once

#include <string>

#include "base/error.h"
#include "base/id.h"
#include "io/disk.h"

namespace millrace::log {

// Removes all records from `end` on from the files of a partition, durably, as
// Partition::truncate() does; nobody has the log open. What is damaged behind `end` goes with them.
// Errors, which change nothing: kInvalid (no batch begins at `end`), kNotFound (outside the
// partition), kCorrupt (damage just before `end`). kIo: done again, it goes on.
Result<void> cut_partition(io::Disk& disk, const std::string& folder, Offset end);

}  // namespace millrace::log
