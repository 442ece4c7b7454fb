// A disk: its folders and whole files, and the way to an open one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/file.h"

namespace millrace::io {

// Either the machine's (system_disk()) or one in memory that crashes (SimulatedDisk). Safe from any
// thread.
class Disk {
 public:
  virtual ~Disk() = default;

  // Errors: kNotFound, kIo. The name of a file that is made is durable only after sync_directory().
  Result<File> open(std::string path, File::Mode mode);

  // Makes the folder and those above it that are missing; their names are durable when it returns.
  Result<void> make_directories(const std::string& path);
  // Makes durable which files the folder holds: what was created, renamed and removed in it.
  Result<void> sync_directory(const std::string& path);
  // The names in a folder, sorted, without "." and "..". Errors: kNotFound, kIo.
  Result<std::vector<std::string>> list_directory(const std::string& path);
  Result<bool> file_exists(const std::string& path);       // a file or a folder
  Result<bool> is_directory(const std::string& path);      // kNotFound: there is nothing
  Result<void> remove_directory(const std::string& path);  // an empty one

  // These three are durable only after sync_directory() of the folder that held the name.
  Result<void> remove_file(const std::string& path);  // kNotFound if there is none
  Result<void> remove_tree(const std::string& path);  // a folder and all in it; none is fine
  Result<void> rename(const std::string& from, const std::string& to);  // replaces a file `to`

  // A whole file. Errors: kNotFound, kIo, kLimit (more than `size_max` bytes).
  Result<std::string> read_file(const std::string& path, size_t size_max);
  // Puts `bytes` in the place of what `path` held, durably: after a crash the file is the old one
  // or the new one, whole. Uses PATH.tmp; two writers of one path need a lock of their own.
  Result<void> write_file_atomic(const std::string& path, std::string_view bytes);

 protected:
  enum class Kind : uint8_t { kFile, kFolder };

 private:
  // One call of the system each.
  virtual Call<std::unique_ptr<OpenFile>> call_open(const std::string& path, File::Mode mode) = 0;
  virtual Call<> call_make_directory(const std::string& path) = 0;
  virtual Call<> call_sync_directory(const std::string& path) = 0;
  virtual Call<std::vector<std::string>> call_list(const std::string& path) = 0;  // in any order
  virtual Call<Kind> call_kind(const std::string& path) = 0;
  virtual Call<> call_remove_file(const std::string& path) = 0;
  virtual Call<> call_remove_directory(const std::string& path) = 0;
  virtual Call<> call_rename(const std::string& from, const std::string& to) = 0;
};

// The machine's. Has no state: there is one for all.
Disk& system_disk();

// "a/b" of "a/b/c", "." of "c", "/" of "/a".
std::string parent_of(const std::string& path);

}  // namespace millrace::io
