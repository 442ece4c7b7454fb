#include "io/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "io/os_error.h"

namespace millrace::io {
namespace {

constexpr std::chrono::milliseconds kRetryEvery{10};

std::string holder_of(int descriptor) {
  char text[32];
  ssize_t size = ::pread(descriptor, text, sizeof text, 0);
  std::string holder(text, size > 0 ? static_cast<size_t>(size) : 0);
  while (!holder.empty() && (holder.back() < '0' || holder.back() > '9')) holder.pop_back();
  return holder.empty() ? "another process" : "process " + holder;
}

Result<void> write_holder(int descriptor, const std::string& path) {
  std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return os_error("write", path, errno);
  return {};
}

}  // namespace

Result<DirectoryLock> DirectoryLock::acquire(const std::string& path,
                                             std::chrono::milliseconds wait) {
  std::string file = path + "/LOCK";
  int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return os_error("open", file, errno);
  DirectoryLock lock(descriptor);
  auto give_up = std::chrono::steady_clock::now() + wait;
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return os_error("lock", file, errno);
    if (std::chrono::steady_clock::now() >= give_up)
      return fail(ErrorCode::kConflict, "{} is in use by {}; stop it first, or use another folder",
                  path, holder_of(descriptor));
    std::this_thread::sleep_for(kRetryEvery);
  }
  MR_TRY(write_holder(descriptor, file));
  return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace millrace::io
