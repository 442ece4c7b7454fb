#include "io/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "io/file.h"
#include "io/os_error.h"

namespace millrace::io {
namespace {

std::string parent_of(const std::string& path) {
  size_t last = path.find_last_not_of('/');
  if (last == std::string::npos) return "/";
  size_t slash = path.find_last_of('/', last);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<bool> is_directory(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return os_error("look at", path, errno);
  return S_ISDIR(status.st_mode);
}

}  // namespace

Result<void> make_directories(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return sync_directory(parent_of(path));
  if (errno == ENOENT && !path.empty()) {
    MR_TRY(make_directories(parent_of(path)));
    if (::mkdir(path.c_str(), 0700) == 0) return sync_directory(parent_of(path));
  }
  int error_number = errno;
  struct stat status;
  if (error_number == EEXIST && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
    return {};
  return os_error("make the folder", path, error_number);
}

Result<void> sync_directory(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return os_error("open the folder", path, errno);
  int error_number = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some network file systems cannot sync a folder and say EINVAL; their renames are synchronous.
  if (error_number != 0 && error_number != EINVAL)
    return os_error("sync the folder", path, error_number);
  return {};
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return os_error("list the folder", path, errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(folder.get());
    if (!found) break;
    std::string_view name = found->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return os_error("list the folder", path, errno);
  std::sort(names.begin(), names.end());
  return names;
}

Result<bool> file_exists(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return os_error("look at", path, errno);
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return os_error("remove", path, errno);
  return {};
}

Result<void> remove_tree(const std::string& path) {
  auto names = list_directory(path);
  if (!names && names.error().code() == ErrorCode::kNotFound) return {};
  if (!names) return std::unexpected(std::move(names).error());
  for (const auto& name : *names) {
    std::string child = path + "/" + name;
    if (MR_TRY(is_directory(child))) {
      MR_TRY(remove_tree(child));
    } else {
      MR_TRY(remove_file(child));
    }
  }
  if (::rmdir(path.c_str()) != 0) return os_error("remove the folder", path, errno);
  return {};
}

Result<void> rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return {};
  if (errno == EEXIST || errno == ENOTEMPTY)
    return fail(ErrorCode::kConflict, "cannot rename {} to {}: {}", from, to, errno_text(errno));
  return os_error("rename to " + to, from, errno);
}

Result<std::string> read_file(const std::string& path, size_t size_max) {
  auto file = MR_TRY(File::open(path, File::Mode::kRead));
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

Result<void> write_file_atomic(const std::string& path, std::string_view bytes) {
  std::string temporary = path + ".tmp";
  auto written = [&]() -> Result<void> {
    auto file = MR_TRY(File::open(temporary, File::Mode::kCreate));
    MR_TRY(file.write_at(0, bytes));
    MR_TRY(file.sync_data());
    return rename(temporary, path);
  }();
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_directory(parent_of(path));
}

}  // namespace millrace::io
