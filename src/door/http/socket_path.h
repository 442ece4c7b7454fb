// Where the API's Unix socket is.
#pragma once

#include <string>

#include "base/error.h"

namespace millrace::http {

// DATA_DIR/api.sock as a path that fits into sockaddr_un (108 bytes), however long DATA_DIR is: a
// long one is reached through /proc/self/fd, for as long as this lives.
class SocketPath {
 public:
  // Errors: kNotFound (no such folder), kIo.
  static Result<SocketPath> in(const std::string& data_dir);
  SocketPath(SocketPath&& other) noexcept;
  SocketPath& operator=(SocketPath&&) = delete;
  ~SocketPath();

  const std::string& path() const { return path_; }

 private:
  SocketPath() = default;
  int folder_ = -1;  // only of a long path
  std::string path_;
};

}  // namespace millrace::http
