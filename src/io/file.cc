#include "io/file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/os_error.h"

namespace millrace::io {
namespace {

// Makes a call until no signal interrupts it.
template <class Act>
auto call(Act&& act) {
  auto done = act();
  while (!done && done.error() == EINTR) done = act();
  return done;
}

}  // namespace

File::File(std::unique_ptr<OpenFile> open, std::string path)
    : open_(std::move(open)), path_(std::move(path)) {}

Result<size_t> File::read_some_at(uint64_t position, char* to, size_t size) const {
  size_t done = 0;
  while (done < size) {
    auto got = call([&] { return open_->read(position + done, to + done, size - done); });
    if (!got) return os_error("read", path_, got.error());
    if (*got == 0) break;
    done += *got;
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
  return write_at(position, bytes, {});
}

Result<void> File::write_at(uint64_t position, std::string_view front, std::string_view rest) {
  while (!front.empty() || !rest.empty()) {
    auto put = call([&] { return open_->write(position, front, rest); });
    if (!put) return os_error("write", path_, put.error());
    size_t of_front = std::min(*put, front.size());
    front.remove_prefix(of_front);
    rest.remove_prefix(*put - of_front);
    position += *put;
  }
  return {};
}

Result<void> File::sync_data() {
  // Not tried again whatever the error: after a failed sync Linux drops the dirty pages, and a
  // second call would report success for bytes that never reached the disk.
  auto synced = open_->sync_data();
  if (!synced) return os_error("sync", path_, synced.error());
  return {};
}

Result<void> File::allocate(uint64_t size) {
  if (MR_TRY(this->size()) >= size) return {};
  auto allocated = call([&] { return open_->allocate(size); });
  if (allocated) return {};
  if (allocated.error() == EOPNOTSUPP) return truncate(size);
  return os_error("allocate disk space for", path_, allocated.error());
}

Result<void> File::truncate(uint64_t size) {
  auto done = call([&] { return open_->truncate(size); });
  if (!done) return os_error("set the size of", path_, done.error());
  return {};
}

Result<void> File::zero() {
  const uint64_t end = MR_TRY(size());
  if (end == 0) return {};
  auto zeroed = call([&] { return open_->zero(end); });
  if (zeroed) return {};
  if (zeroed.error() != EOPNOTSUPP) return os_error("clear", path_, zeroed.error());
  constexpr size_t kZerosBytes = size_t{1} << 20;
  const std::string zeros(kZerosBytes, '\0');
  for (uint64_t at = 0; at < end; at += kZerosBytes)
    MR_TRY(
        write_at(at, std::string_view(zeros).substr(0, std::min<uint64_t>(end - at, kZerosBytes))));
  return {};
}

Result<uint64_t> File::size() const {
  auto size = open_->size();
  if (!size) return os_error("look at", path_, size.error());
  return *size;
}

Result<std::optional<uint64_t>> File::next_data(uint64_t position) const {
  auto found = open_->next_data(position);
  if (!found) return os_error("look for data in", path_, found.error());
  return *found;
}

Result<bool> File::try_lock() {
  auto locked = call([&] { return open_->try_lock(); });
  if (!locked) return os_error("lock", path_, locked.error());
  return *locked;
}

}  // namespace millrace::io
