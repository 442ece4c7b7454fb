// Folders and whole files of the machine's disk, for what is in no data directory: pipeline files,
// secrets. What they promise is said in io/disk.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/disk.h"

namespace millrace::io {

inline Result<void> make_directories(const std::string& path) {
  return system_disk().make_directories(path);
}
inline Result<std::vector<std::string>> list_directory(const std::string& path) {
  return system_disk().list_directory(path);
}
inline Result<bool> file_exists(const std::string& path) {
  return system_disk().file_exists(path);
}
inline Result<void> remove_tree(const std::string& path) {
  return system_disk().remove_tree(path);
}
inline Result<std::string> read_file(const std::string& path, size_t size_max) {
  return system_disk().read_file(path, size_max);
}
inline Result<void> write_file_atomic(const std::string& path, std::string_view bytes) {
  return system_disk().write_file_atomic(path, bytes);
}

}  // namespace millrace::io
