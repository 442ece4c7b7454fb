// What is where in a data directory, whose it is, and which version wrote it.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "io/directory_lock.h"
#include "io/disk.h"
#include "pipeline/source_cursor.h"

namespace millrace::pipeline {

class DataDirectory {
 public:
  // The disk outlives it.
  DataDirectory(io::Disk& disk, std::string path) : disk_(&disk), path_(std::move(path)) {}

  io::Disk& disk() const { return *disk_; }
  const std::string& path() const { return path_; }
  std::string log() const { return path_ + "/log"; }
  std::string store() const { return path_ + "/store"; }
  std::string sources() const { return path_ + "/sources"; }
  CursorFolder cursors() const { return {disk_, sources()}; }

  // Whether it is a data directory. Errors: kIo.
  Result<bool> exists() const { return disk_->file_exists(format_file()); }
  // Errors: kNotFound (it is none), kConflict (of another version), kIo.
  Result<void> check_format() const;
  // Takes it for this process. Errors: kNotFound, kConflict (in use, by which process), kIo.
  Result<io::DirectoryLock> lock(std::chrono::milliseconds wait = {}) const;
  // The same where there may be nothing yet: makes it. Errors: as of check_format() and lock().
  Result<io::DirectoryLock> make_and_lock(std::chrono::milliseconds wait) const;

 private:
  std::string format_file() const { return path_ + "/format"; }

  io::Disk* disk_;
  std::string path_;
};

}  // namespace millrace::pipeline
