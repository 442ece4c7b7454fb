#include "io/directory_lock.h"

#include <unistd.h>

#include <thread>
#include <utility>

namespace millrace::io {
namespace {

constexpr std::chrono::milliseconds kRetryEvery{10};

std::string holder_of(const File& file) {
  char text[32];
  std::string holder(text, file.read_some_at(0, text, sizeof text).value_or(0));
  while (!holder.empty() && (holder.back() < '0' || holder.back() > '9')) holder.pop_back();
  return holder.empty() ? "another process" : "process " + holder;
}

}  // namespace

// While the lock is held: who takes it next writes its own number.
void DirectoryLock::EmptyAndClose::operator()(File* file) const {
  (void)file->truncate(0);
  delete file;
}

Result<DirectoryLock> DirectoryLock::acquire(Disk& disk, const std::string& path,
                                             std::chrono::milliseconds wait) {
  auto file = MR_TRY(disk.open(path + "/LOCK", File::Mode::kOpenOrCreate));
  auto give_up = std::chrono::steady_clock::now() + wait;
  while (!MR_TRY(file.try_lock())) {
    if (std::chrono::steady_clock::now() >= give_up)
      return fail(ErrorCode::kConflict, "{} is in use by {}; stop it first, or use another folder",
                  path, holder_of(file));
    std::this_thread::sleep_for(kRetryEvery);
  }
  MR_TRY(file.truncate(0));
  MR_TRY(file.write_at(0, fmt::format("{}\n", ::getpid())));
  return DirectoryLock(std::move(file));
}

}  // namespace millrace::io
