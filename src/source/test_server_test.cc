// The code of test_server.h; by its name it is linked into the tests only.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "source/test_server.h"

namespace millrace::source {

namespace {

// A socket bound to a free loopback port.
int bound_socket(int& port) {
  int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  MR_CHECK(socket >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  MR_CHECK(::bind(socket, any, size) == 0);
  MR_CHECK(::getsockname(socket, any, &size) == 0);
  port = ntohs(address.sin_port);
  return socket;
}

}  // namespace

TestServer::TestServer(Answer answer) : answer_(std::move(answer)) {
  listener_ = bound_socket(port_);
  MR_CHECK(::listen(listener_, 16) == 0);
  MR_CHECK(::pipe(stop_) == 0);
  thread_ = std::thread([this] { serve(); });
}

TestServer::~TestServer() {
  ::close(stop_[1]);
  thread_.join();
  ::close(stop_[0]);
  ::close(listener_);
}

std::string TestServer::url(std::string_view path) const {
  return fmt::format("http://127.0.0.1:{}{}", port_, path);
}

std::vector<std::string> TestServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

int TestServer::connections() const {
  std::lock_guard lock(mutex_);
  return connections_;
}

void TestServer::serve() {
  std::vector<Connection> open;
  while (true) {
    std::vector<pollfd> waiting = {{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& connection : open) waiting.push_back({connection.socket, POLLIN, 0});
    ::poll(waiting.data(), waiting.size(), -1);
    if (waiting[0].revents != 0) break;
    for (size_t i = open.size(); i-- > 0;) {
      if (waiting[i + 2].revents == 0 || read_some(open[i])) continue;
      ::close(open[i].socket);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (waiting[1].revents != 0) {
      open.push_back({::accept(listener_, nullptr, nullptr), {}});
      std::lock_guard lock(mutex_);
      ++connections_;
    }
  }
  for (const auto& connection : open) ::close(connection.socket);
}

// False where the connection is over.
bool TestServer::read_some(Connection& connection) {
  char bytes[4096];
  auto size = ::recv(connection.socket, bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  connection.received.append(bytes, static_cast<size_t>(size));
  auto end = connection.received.find("\r\n\r\n");
  if (end == std::string::npos) return true;
  auto request = connection.received.substr(0, end + 4);
  connection.received.erase(0, end + 4);
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  auto response = answer_(request);
  for (std::string_view rest = response; !rest.empty();) {
    auto sent = ::send(connection.socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    rest.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string response(int status, std::string_view body, std::string_view headers) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                     headers, body);
}

int closed_port() {
  int port = 0;
  ::close(bound_socket(port));
  return port;
}

}  // namespace millrace::source
