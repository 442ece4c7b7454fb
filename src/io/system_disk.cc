// The machine's disk, by the calls of Linux.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "io/disk.h"

namespace millrace::io {
namespace {

// What a call that answers below zero on failure gave.
template <class T>
Call<> done(T answer) {
  if (answer < 0) return std::unexpected(errno);
  return {};
}

class Descriptor final : public OpenFile {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() override { ::close(number_); }

  Call<size_t> read(uint64_t position, char* to, size_t size) override {
    ssize_t got = ::pread(number_, to, size, static_cast<off_t>(position));
    if (got < 0) return std::unexpected(errno);
    return static_cast<size_t>(got);
  }

  Call<size_t> write(uint64_t position, std::string_view front, std::string_view rest) override {
    // pwritev reads through these pointers only; iovec has no const form.
    iovec parts[] = {{const_cast<char*>(front.data()), front.size()},
                     {const_cast<char*>(rest.data()), rest.size()}};
    ssize_t put = ::pwritev(number_, parts, 2, static_cast<off_t>(position));
    if (put < 0) return std::unexpected(errno);
    return static_cast<size_t>(put);
  }

  Call<> sync_data() override { return done(::fdatasync(number_)); }
  Call<> allocate(uint64_t size) override {
    return done(::fallocate(number_, 0, 0, static_cast<off_t>(size)));
  }
  Call<> truncate(uint64_t size) override {
    return done(::ftruncate(number_, static_cast<off_t>(size)));
  }

  Call<> zero(uint64_t size) override {
    return done(::fallocate(number_, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0,
                            static_cast<off_t>(size)));
  }

  Call<uint64_t> size() override {
    struct stat status;
    if (::fstat(number_, &status) != 0) return std::unexpected(errno);
    return static_cast<uint64_t>(status.st_size);
  }

  Call<std::optional<uint64_t>> next_data(uint64_t position) override {
    off_t found = ::lseek(number_, static_cast<off_t>(position), SEEK_DATA);
    if (found >= 0) return static_cast<uint64_t>(found);
    if (errno == ENXIO) return std::nullopt;
    if (errno == EINVAL || errno == EOPNOTSUPP) return position;
    return std::unexpected(errno);
  }

  Call<bool> try_lock() override {
    if (::flock(number_, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    return std::unexpected(errno);
  }

 private:
  const int number_;
};

int flags_of(File::Mode mode) {
  switch (mode) {
    case File::Mode::kRead:
      return O_RDONLY;
    case File::Mode::kReadWrite:
      return O_RDWR;
    case File::Mode::kCreate:
      return O_RDWR | O_CREAT | O_TRUNC;
    case File::Mode::kOpenOrCreate:
      return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

class SystemDisk final : public Disk {
 private:
  Call<std::unique_ptr<OpenFile>> call_open(const std::string& path, File::Mode mode) override;
  Call<> call_make_directory(const std::string& path) override;
  Call<> call_sync_directory(const std::string& path) override;
  Call<std::vector<std::string>> call_list(const std::string& path) override;
  Call<Kind> call_kind(const std::string& path) override;
  Call<> call_remove_file(const std::string& path) override;
  Call<> call_remove_directory(const std::string& path) override;
  Call<> call_rename(const std::string& from, const std::string& to) override;
};

Call<std::unique_ptr<OpenFile>> SystemDisk::call_open(const std::string& path, File::Mode mode) {
  int number = ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0600);
  if (number < 0) return std::unexpected(errno);
  return std::make_unique<Descriptor>(number);
}

Call<> SystemDisk::call_make_directory(const std::string& path) {
  return done(::mkdir(path.c_str(), 0700));
}

Call<> SystemDisk::call_sync_directory(const std::string& path) {
  int number = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return std::unexpected(errno);
  auto synced = done(::fsync(number));
  ::close(number);
  // Some network file systems cannot sync a folder and say EINVAL; their renames are synchronous.
  if (!synced && synced.error() == EINVAL) return {};
  return synced;
}

Call<std::vector<std::string>> SystemDisk::call_list(const std::string& path) {
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return std::unexpected(errno);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* found = ::readdir(folder.get());
    if (!found) break;
    std::string_view name = found->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return std::unexpected(errno);
  return names;
}

Call<Disk::Kind> SystemDisk::call_kind(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return std::unexpected(errno);
  return S_ISDIR(status.st_mode) ? Kind::kFolder : Kind::kFile;
}

Call<> SystemDisk::call_remove_file(const std::string& path) {
  return done(::unlink(path.c_str()));
}

Call<> SystemDisk::call_remove_directory(const std::string& path) {
  return done(::rmdir(path.c_str()));
}

Call<> SystemDisk::call_rename(const std::string& from, const std::string& to) {
  return done(::rename(from.c_str(), to.c_str()));
}

}  // namespace

Disk& system_disk() {
  static SystemDisk disk;
  return disk;
}

}  // namespace millrace::io
