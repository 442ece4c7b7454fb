#include "io/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "io/os_error.h"

namespace millrace::io {
namespace {

int flags_of(File::Mode mode) {
  switch (mode) {
    case File::Mode::kRead:
      return O_RDONLY;
    case File::Mode::kReadWrite:
      return O_RDWR;
    case File::Mode::kCreate:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

}  // namespace

Result<File> File::open(std::string path, Mode mode) {
  int descriptor;
  do {
    descriptor = ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0600);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return os_error(mode == Mode::kCreate ? "create" : "open", path, errno);
  return File(descriptor, std::move(path));
}

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

File::~File() {
  close();
}

void File::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

Result<size_t> File::read_some_at(uint64_t position, char* to, size_t size) const {
  size_t done = 0;
  while (done < size) {
    ssize_t got = ::pread(descriptor_, to + done, size - done, static_cast<off_t>(position + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error("read", path_, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Result<void> File::read_at(uint64_t position, char* to, size_t size) const {
  size_t done = MR_TRY(read_some_at(position, to, size));
  if (done != size)
    return fail(ErrorCode::kIo, "cannot read {}: it ends at byte {}, {} more were expected", path_,
                position + done, size - done);
  return {};
}

Result<void> File::write_at(uint64_t position, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return os_error("write", path_, errno);
    position += static_cast<uint64_t>(put);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Result<void> File::write_at(uint64_t position, std::string_view front, std::string_view rest) {
  // pwritev reads through these pointers only; iovec has no const form.
  iovec parts[] = {{const_cast<char*>(front.data()), front.size()},
                   {const_cast<char*>(rest.data()), rest.size()}};
  ssize_t put;
  do {
    put = ::pwritev(descriptor_, parts, 2, static_cast<off_t>(position));
  } while (put < 0 && errno == EINTR);
  if (put < 0) return os_error("write", path_, errno);
  auto done = static_cast<size_t>(put);
  if (done < front.size()) {
    MR_TRY(write_at(position + done, front.substr(done)));
    done = front.size();
  }
  return write_at(position + done, rest.substr(done - front.size()));
}

Result<void> File::sync_data() {
  // Not tried again whatever the error: after a failed sync Linux drops the dirty pages, and a
  // second call would report success for bytes that never reached the disk.
  if (::fdatasync(descriptor_) != 0) return os_error("sync", path_, errno);
  return {};
}

Result<void> File::allocate(uint64_t size) {
  if (MR_TRY(this->size()) >= size) return {};
  int result;
  do {
    result = ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  if (result == 0) return {};
  if (errno == EOPNOTSUPP) return truncate(size);
  return os_error("allocate disk space for", path_, errno);
}

Result<void> File::truncate(uint64_t size) {
  int result;
  do {
    result = ::ftruncate(descriptor_, static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return os_error("set the size of", path_, errno);
  return {};
}

Result<uint64_t> File::size() const {
  struct stat status;
  if (::fstat(descriptor_, &status) != 0) return os_error("look at", path_, errno);
  return static_cast<uint64_t>(status.st_size);
}

Result<std::optional<uint64_t>> File::next_data(uint64_t position) const {
  off_t found = ::lseek(descriptor_, static_cast<off_t>(position), SEEK_DATA);
  if (found >= 0) return static_cast<uint64_t>(found);
  if (errno == ENXIO) return std::nullopt;
  if (errno == EINVAL || errno == EOPNOTSUPP) return position;
  return os_error("look for data in", path_, errno);
}

}  // namespace millrace::io
