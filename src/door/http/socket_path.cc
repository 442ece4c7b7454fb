#include "door/http/socket_path.h"

#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace millrace::http {

Result<SocketPath> SocketPath::in(const std::string& data_dir) {
  SocketPath socket;
  socket.path_ = data_dir + "/api.sock";
  if (socket.path_.size() < sizeof(sockaddr_un::sun_path)) return socket;
  socket.folder_ = open(data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (socket.folder_ < 0) {
    return fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "cannot open {}: {}",
                data_dir, errno_text(errno));
  }
  socket.path_ = fmt::format("/proc/self/fd/{}/api.sock", socket.folder_);
  return socket;
}

SocketPath::SocketPath(SocketPath&& other) noexcept
    : folder_(std::exchange(other.folder_, -1)), path_(std::move(other.path_)) {}

SocketPath::~SocketPath() {
  if (folder_ >= 0) close(folder_);
}

}  // namespace millrace::http
