#include "io/disk.h"

#include <algorithm>
#include <cerrno>

#include "io/os_error.h"

namespace millrace::io {

std::string parent_of(const std::string& path) {
  size_t last = path.find_last_not_of('/');
  if (last == std::string::npos) return "/";
  size_t slash = path.find_last_of('/', last);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<File> Disk::open(std::string path, File::Mode mode) {
  auto open = call_open(path, mode);
  while (!open && open.error() == EINTR) open = call_open(path, mode);
  if (!open) return os_error(mode == File::Mode::kCreate ? "create" : "open", path, open.error());
  return File(*std::move(open), std::move(path));
}

Result<void> Disk::make_directories(const std::string& path) {
  auto made = call_make_directory(path);
  if (!made && made.error() == ENOENT && !path.empty()) {
    MR_TRY(make_directories(parent_of(path)));
    made = call_make_directory(path);
  }
  if (!made && made.error() != EEXIST) return os_error("make the folder", path, made.error());
  if (!made && call_kind(path) != Kind::kFolder)
    return fail(ErrorCode::kIo, "cannot make the folder {}: what is there is no folder", path);
  // Also where it was there: who made it may have ended before this.
  return sync_directory(parent_of(path));
}

Result<void> Disk::sync_directory(const std::string& path) {
  auto synced = call_sync_directory(path);
  if (!synced) return os_error("sync the folder", path, synced.error());
  return {};
}

Result<std::vector<std::string>> Disk::list_directory(const std::string& path) {
  auto names = call_list(path);
  if (!names) return os_error("list the folder", path, names.error());
  std::ranges::sort(*names);
  return *std::move(names);
}

Result<bool> Disk::file_exists(const std::string& path) {
  auto kind = call_kind(path);
  if (kind) return true;
  if (kind.error() == ENOENT || kind.error() == ENOTDIR) return false;
  return os_error("look at", path, kind.error());
}

Result<bool> Disk::is_directory(const std::string& path) {
  auto kind = call_kind(path);
  if (!kind) return os_error("look at", path, kind.error());
  return *kind == Kind::kFolder;
}

Result<void> Disk::remove_directory(const std::string& path) {
  auto removed = call_remove_directory(path);
  if (!removed) return os_error("remove the folder", path, removed.error());
  return {};
}

Result<void> Disk::remove_file(const std::string& path) {
  auto removed = call_remove_file(path);
  if (!removed) return os_error("remove", path, removed.error());
  return {};
}

Result<void> Disk::remove_tree(const std::string& path) {
  auto names = list_directory(path);
  if (!names && names.error().code() == ErrorCode::kNotFound) return {};
  if (!names) return std::unexpected(std::move(names).error());
  for (const auto& name : *names) {
    std::string child = path + "/" + name;
    auto removed = call_remove_file(child);
    if (removed) continue;
    if (removed.error() != EISDIR) return os_error("remove", child, removed.error());
    MR_TRY(remove_tree(child));
  }
  return remove_directory(path);
}

Result<void> Disk::rename(const std::string& from, const std::string& to) {
  auto renamed = call_rename(from, to);
  if (renamed) return {};
  if (renamed.error() == EEXIST || renamed.error() == ENOTEMPTY)
    return fail(ErrorCode::kConflict, "cannot rename {} to {}: {}", from, to,
                errno_text(renamed.error()));
  return os_error("rename to " + to, from, renamed.error());
}

Result<std::string> Disk::read_file(const std::string& path, size_t size_max) {
  auto file = MR_TRY(open(path, File::Mode::kRead));
  std::string bytes;
  // Files of /proc say size 0, so the end is where a read finds it.
  for (;;) {
    constexpr size_t kChunk = size_t{64} << 10;
    size_t before = bytes.size();
    bytes.resize(before + kChunk);
    size_t got = MR_TRY(file.read_some_at(before, bytes.data() + before, kChunk));
    bytes.resize(before + got);
    if (bytes.size() > size_max)
      return fail(ErrorCode::kLimit, "{} is too large: at most {} bytes are read", path, size_max);
    if (got < kChunk) return bytes;
  }
}

Result<void> Disk::write_file_atomic(const std::string& path, std::string_view bytes) {
  std::string temporary = path + ".tmp";
  auto written = [&]() -> Result<void> {
    auto file = MR_TRY(open(temporary, File::Mode::kCreate));
    MR_TRY(file.write_at(0, bytes));
    MR_TRY(file.sync_data());
    return rename(temporary, path);
  }();
  if (!written) {
    (void)call_remove_file(temporary);
    return written;
  }
  return sync_directory(parent_of(path));
}

}  // namespace millrace::io
