// HTTP/1.1 on the Unix socket of a data directory.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/logger.h"
#include "door/http/api.h"

namespace millrace::http {

class Server {
 public:
  // Answers with `api` on DATA_DIR/api.sock until destroyed. The caller holds the data directory's
  // lock, so a socket that is there is left from a process that is gone. Errors: kIo.
  static Result<std::unique_ptr<Server>> start(const Api& api, const std::string& data_dir,
                                               Logger& logger);
  // Takes no more requests, asks handlers to give up, waits for them, removes the socket.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::http
