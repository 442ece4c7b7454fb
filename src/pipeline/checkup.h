// Looking for what is wrong in a data directory: all of the log and the store is read, every
// checksum checked, and whether the parts belong together. Nothing is changed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/logger.h"
#include "io/clock.h"
#include "pipeline/data_directory.h"
#include "pipeline/finding.h"

namespace millrace::pipeline {

// A topic as the process says it is that runs on the data directory.
struct LiveTopic {
  struct Partition {
    Offset start;
    Offset end;  // durable
  };
  std::string name;
  std::vector<Partition> partitions;
};

struct CheckupOptions {
  // Where a process runs on the data directory: its topics are read as far as it says, and nothing
  // else is looked at. Otherwise no process has it or takes it meanwhile.
  std::optional<std::vector<LiveTopic>> live;
  // Called often: what is being read, and how many bytes of it were.
  std::function<void(const std::string& what, uint64_t bytes)> progress;
};

// In the order of the parts: log, store, tables, sources. The directory is a data directory of this
// version.
std::vector<Finding> check_up(const DataDirectory& directory, const CheckupOptions& options,
                              Logger& logger, io::Clock& clock);

}  // namespace millrace::pipeline
