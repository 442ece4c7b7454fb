// What became of the nodes of a pipeline whose file has changed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace millrace::pipeline {

// Names of sources and tables.
struct Changes {
  std::vector<std::string> started;
  std::vector<std::string> restarted;  // the file says something else of them, or they had stopped
  std::vector<std::string> stopped;    // the file has them no longer
  size_t unchanged = 0;
};

}  // namespace millrace::pipeline
