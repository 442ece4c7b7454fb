// One open file, read and written at positions that the caller keeps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/open_file.h"

namespace millrace::io {

// Made by Disk::open().
class File {
 public:
  enum class Mode : uint8_t {
    kRead,
    kReadWrite,
    kCreate,        // read and write; makes the file, or empties the one that is there
    kOpenOrCreate,  // read and write; makes the file if there is none
  };

  File(std::unique_ptr<OpenFile> open, std::string path);

  // Exactly `size` bytes from `position`. Errors: kIo, also when the file ends before.
  Result<void> read_at(uint64_t position, char* to, size_t size) const;
  // Up to `size` bytes, fewer only where the file ends; returns how many.
  Result<size_t> read_some_at(uint64_t position, char* to, size_t size) const;
  // All of `bytes`. After an error any part of them may be in the file.
  Result<void> write_at(uint64_t position, std::string_view bytes);
  // The same for `front` and right behind it `rest`, in one call of the system.
  Result<void> write_at(uint64_t position, std::string_view front, std::string_view rest);
  // fdatasync: what was written before the call, and the size, are on disk when it returns.
  Result<void> sync_data();
  // Gives the file `size` bytes, with disk space for all of them where the file system can promise
  // it; new bytes read as zeros. Never makes a file shorter.
  Result<void> allocate(uint64_t size);
  Result<void> truncate(uint64_t size);
  // Makes all of the file's bytes zeros and keeps its disk space.
  Result<void> zero();
  Result<uint64_t> size() const;
  // Where bytes that may differ from zero begin at or after `position`; nullopt: there are none.
  // A file system that cannot tell answers `position` itself.
  Result<std::optional<uint64_t>> next_data(uint64_t position) const;
  // Takes the file for this File alone, until it is closed; false: another has it.
  Result<bool> try_lock();

  const std::string& path() const { return path_; }

 private:
  std::unique_ptr<OpenFile> open_;
  std::string path_;
};

}  // namespace millrace::io
