#include "door/http/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <thread>

#include "base/limits.h"
#include "door/http/socket_path.h"
#include "door/http/test_data_directory.h"

namespace millrace::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A connection that says and hears bytes.
class Connection {
 public:
  explicit Connection(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    is_open_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { close(socket_); }

  bool is_open() const { return is_open_; }
  void say(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  void say_no_more() { shutdown(socket_, SHUT_WR); }
  // One answer with a Content-Length; what came of it where the connection ended before.
  std::string hear() {
    std::string bytes;
    char some[4096];
    for (;;) {
      auto body = bytes.find("\r\n\r\n");
      if (body != bytes.npos && bytes.size() >= body + 4 + length_of(bytes)) return bytes;
      auto count = recv(socket_, some, sizeof some, 0);
      if (count <= 0) return bytes;
      bytes.append(some, static_cast<size_t>(count));
    }
  }
  std::string ask(std::string_view request) {
    say(request);
    return hear();
  }

 private:
  static size_t length_of(const std::string& answer) {
    constexpr std::string_view kName = "Content-Length: ";
    auto at = answer.find(kName);
    return at == answer.npos ? 0 : std::stoul(answer.substr(at + kName.size()));
  }

  int socket_;
  bool is_open_ = false;
};

class ServerTest : public DataDirectoryTest {
 protected:
  void SetUp() override {
    DataDirectoryTest::SetUp();
    start();
  }
  void TearDown() override {
    server_.reset();
    DataDirectoryTest::TearDown();
  }
  void start() {
    auto server = Server::start(*api_, data_dir_, logger_);
    ASSERT_TRUE(server) << server.error().message();
    server_ = *std::move(server);
  }
  std::string path() const { return data_dir_ + "/api.sock"; }

  std::unique_ptr<Server> server_;
};

constexpr std::string_view kGetVersion = "GET /v1/version HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(ServerTest, AnswersOneRequestAfterAnotherOnAConnection) {
  Connection connection(path());
  for (int i = 0; i < 3; ++i) {
    auto answer = connection.ask(kGetVersion);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
    EXPECT_THAT(answer, HasSubstr(R"({"version":"1.2.3"})"));
  }
}

TEST_F(ServerTest, OnlyItsUserMayConnect) {
  struct stat found{};
  ASSERT_EQ(stat(path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(ServerTest, ManyConnectionsAtOnceAreAllAnswered) {
  std::vector<std::jthread> threads;
  std::atomic<int> answered = 0;
  for (size_t i = 0; i < 2 * limits::kApiConnectionsMax; ++i) {
    threads.emplace_back([&] {
      Connection connection(path());
      constexpr std::string_view kBody = R"({"sql": "SELECT count(*) AS n FROM people"})";
      auto answer = connection.ask(fmt::format(
          "POST /v1/sql HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}", kBody.size(), kBody));
      if (answer.find("\"rows\":[[60]]") != answer.npos) ++answered;
    });
  }
  threads.clear();
  EXPECT_EQ(answered, 2 * static_cast<int>(limits::kApiConnectionsMax));
}

TEST_F(ServerTest, AMendedRecordMayBeAsLongAsRecordsAre) {
  Connection connection(path());
  std::string body =
      R"({"letters":[],"value":")" + std::string(limits::kRecordBytesMax, 'x') + "\"}";
  auto answer = connection.ask(
      fmt::format("POST /v1/dead-letters/redrive HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
                  body.size()) +
      body);
  EXPECT_THAT(answer, Not(StartsWith("HTTP/1.1 413")));
}

TEST_F(ServerTest, RequestsThatAreTooLongGet413) {
  Connection connection(path());
  auto answer = connection.ask(
      fmt::format("POST /v1/sql HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}",
                  limits::kApiRequestBytesMax + 1, std::string(limits::kApiRequestBytesMax, ' ')));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, HasSubstr("1.0 MiB"));
}

TEST_F(ServerTest, HeadersThatAreTooLongGet431) {
  Connection connection(path());
  auto answer = connection.ask("GET / HTTP/1.1\r\nHost: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, WhatIsNoRequestGets400) {
  Connection connection(path());
  EXPECT_THAT(connection.ask("hello there\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ServerTest, OtherMethodsGet405WithThoseThatAreThere) {
  Connection connection(path());
  auto answer = connection.ask("DELETE /v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET\r\n"));
}

TEST_F(ServerTest, UnknownPathsGet404WithTheNearest) {
  Connection connection(path());
  auto answer = connection.ask("GET /v1/topic HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(answer, HasSubstr("did you mean /v1/topics?"));
}

TEST_F(ServerTest, StoppingEndsARequestThatWaitsAndRemovesTheSocket) {
  Connection connection(path());
  connection.say(
      "GET /v1/topics/people/records?past=99,99,99&wait_ms=30000 HTTP/1.1\r\nHost: x\r\n\r\n");
  // Answered only once the loop has read what was said before.
  Connection other(path());
  EXPECT_THAT(other.ask(kGetVersion), StartsWith("HTTP/1.1 200"));
  auto start = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_FALSE(Connection(path()).is_open());
  EXPECT_FALSE(*io::file_exists(path()));
}

std::string post_sql(std::string_view sql) {
  auto body = fmt::format(R"({{"sql":"{}"}})", sql);
  return fmt::format("POST /v1/sql HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}",
                     body.size(), body);
}
const std::string kEndlessQuery =
    post_sql("SELECT sum(range % 7) AS s FROM range(100000000000000)");

TEST_F(ServerTest, QueriesWithoutEndHoldNobodyUpAndEndWithTheirClients) {
  std::vector<std::unique_ptr<Connection>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<Connection>(path()));
    clients.back()->say(kEndlessQuery);
  }
  for (int i = 0; i < 5; ++i)
    EXPECT_THAT(Connection(path()).ask(kGetVersion), StartsWith("HTTP/1.1 200"));
  clients.clear();
  EXPECT_THAT(Connection(path()).ask(post_sql("SELECT 42 AS n")), HasSubstr("[[42]]"));
}

TEST_F(ServerTest, AClientThatOnlySaysNoMoreGetsItsAnswer) {
  Connection client(path());
  client.say(post_sql("SELECT count(*) AS n FROM range(30000000) WHERE range % 7 = 0"));
  client.say_no_more();
  EXPECT_THAT(client.hear(), HasSubstr("[[4285715]]"));
}

TEST_F(ServerTest, StoppingEndsAQueryWithoutEnd) {
  Connection client(path());
  client.say(kEndlessQuery);
  EXPECT_THAT(Connection(path()).ask(kGetVersion), StartsWith("HTTP/1.1 200"));
  server_.reset();
  EXPECT_FALSE(Connection(path()).is_open());
}

TEST_F(ServerTest, ASocketOfAProcessThatIsGoneIsReplaced) {
  server_.reset();
  ASSERT_TRUE(io::write_file_atomic(path(), "left over"));
  start();
  EXPECT_THAT(Connection(path()).ask(kGetVersion), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, LongDataDirectoriesAreReachedToo) {
  auto folder = folder_ + "/" + std::string(120, 'd');
  ASSERT_TRUE(io::make_directories(folder));
  auto server = Server::start(*api_, folder, logger_);
  ASSERT_TRUE(server) << server.error().message();
  auto socket = SocketPath::in(folder);
  ASSERT_TRUE(socket);
  EXPECT_THAT(Connection(socket->path()).ask(kGetVersion), StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(*io::file_exists(folder + "/api.sock"));
}

}  // namespace
}  // namespace millrace::http
