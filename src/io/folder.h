// Folders and whole files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace millrace::io {

// Makes the folder and those above it that are missing; their names are durable when it returns.
Result<void> make_directories(const std::string& path);
// Makes durable which files the folder holds: what was created, renamed and removed in it.
Result<void> sync_directory(const std::string& path);
// The names in a folder, sorted, without "." and "..". Errors: kNotFound, kIo.
Result<std::vector<std::string>> list_directory(const std::string& path);
Result<bool> file_exists(const std::string& path);  // a file or a folder

// These three are durable only after sync_directory() of the folder that held the name.
Result<void> remove_file(const std::string& path);  // kNotFound if there is none
Result<void> remove_tree(const std::string& path);  // a folder and all in it; none is fine
Result<void> rename(const std::string& from, const std::string& to);  // replaces a file `to`

// A whole file. Errors: kNotFound, kIo, kLimit (more than `size_max` bytes).
Result<std::string> read_file(const std::string& path, size_t size_max);
// Puts `bytes` in the place of what `path` held, durably: after a crash the file is the old one or
// the new one, whole. Uses PATH.tmp; two writers of one path need a lock of their own.
Result<void> write_file_atomic(const std::string& path, std::string_view bytes);

}  // namespace millrace::io
