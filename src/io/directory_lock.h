// Keeps a folder to one process.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/error.h"
#include "io/disk.h"
#include "io/file.h"

namespace millrace::io {

// A lock on PATH/LOCK, which holds our process id for people to read, and for kill. The system
// drops the lock when the process ends, however it ends; the file stays. It is emptied with the
// object, for the number may be another process's one day; kill -9 leaves it there.
class DirectoryLock {
 public:
  // Tries for up to `wait`: a process that was just killed may still be going. The folder exists.
  // Errors: kConflict ("PATH is in use by process 123"), kIo.
  static Result<DirectoryLock> acquire(Disk& disk, const std::string& path,
                                       std::chrono::milliseconds wait = {});

 private:
  struct EmptyAndClose {
    void operator()(File* file) const;
  };
  explicit DirectoryLock(File file) : file_(new File(std::move(file))) {}
  std::unique_ptr<File, EmptyAndClose> file_;
};

}  // namespace millrace::io
