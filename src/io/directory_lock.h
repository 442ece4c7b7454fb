// Keeps a folder to one process.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "io/disk.h"
#include "io/file.h"

namespace millrace::io {

// A lock on PATH/LOCK, which holds our process id for people to read. The system drops it when
// the process ends, however it ends; the file stays.
class DirectoryLock {
 public:
  // Tries for up to `wait`: a process that was just killed may still be going. The folder exists.
  // Errors: kConflict ("PATH is in use by process 123"), kIo.
  static Result<DirectoryLock> acquire(Disk& disk, const std::string& path,
                                       std::chrono::milliseconds wait = {});

 private:
  explicit DirectoryLock(File file) : file_(std::move(file)) {}
  File file_;
};

}  // namespace millrace::io
