// A tiny HTTP server for tests: a thread on a loopback port of the kernel's choice, that answers as
// a test says.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace millrace::source {

class TestServer {
 public:
  // Given a request, from its first line to its empty line, returns all bytes of the response;
  // empty: the server never answers. Called on the server's thread.
  using Answer = std::function<std::string(const std::string& request)>;

  explicit TestServer(Answer answer);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::string url(std::string_view path) const;
  std::vector<std::string> requests() const;
  int connections() const;

 private:
  struct Connection {
    int socket;
    std::string received;
  };

  void serve();
  bool read_some(Connection& connection);

  Answer answer_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};  // a pipe, closed to stop
  int port_ = 0;
  mutable std::mutex mutex_;  // guards the two below
  std::vector<std::string> requests_;
  int connections_ = 0;
  std::thread thread_;
};

// A response with Content-Length; `headers` are whole lines, each with its "\r\n".
std::string response(int status, std::string_view body, std::string_view headers = "");

// A port on which nobody listens.
int closed_port();

}  // namespace millrace::source
