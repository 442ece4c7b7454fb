#include "door/http/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "door/http/socket_path.h"

namespace millrace::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using Protocol = asio::local::stream_protocol;
using Stream = beast::basic_stream<Protocol>;
using Parser = beast::http::request_parser<beast::http::string_body>;
using HttpResponse = beast::http::response<beast::http::string_body>;

// Threads for requests of each pace; more requests wait for their turn.
constexpr int kWorkers = 3;
constexpr int kWaiters = 8;
constexpr int kQueries = 3;
constexpr size_t kHeaderBytesMax = size_t{16} << 10;
// Of a request that was refused unread, so that its sender, still busy sending, sees why.
constexpr size_t kUnreadBytesMax = size_t{4} << 20;

HttpResponse to_http(Response answer, bool keep_alive) {
  HttpResponse response;
  response.version(11);
  response.result(static_cast<unsigned>(answer.status));
  response.set(beast::http::field::content_type, "application/json");
  if (!answer.allow.empty()) response.set(beast::http::field::allow, answer.allow);
  response.keep_alive(keep_alive);
  response.body() = std::move(answer.body);
  response.prepare_payload();
  return response;
}

template <class Message>
const Route* route_of(const Message& message) {
  return Api::route_of(std::string(message.method_string()), std::string(message.target()));
}

size_t body_bytes_max(const Route* route) {
  return route == nullptr ? limits::kApiRequestBytesMax : route->body_bytes_max;
}

// What to answer to bytes that are no request we take; nullopt: nobody is there to be told.
std::optional<Response> refusal(const error_code& error, const Route* route) {
  if (error == beast::http::error::body_limit) {
    auto text = fmt::format("this request has at most {}", format_bytes(body_bytes_max(route)));
    return error_response(413, {ErrorCode::kLimit, text});
  }
  if (error == beast::http::error::header_limit) {
    auto text = fmt::format("a request's header has at most {}", format_bytes(kHeaderBytesMax));
    return error_response(431, {ErrorCode::kLimit, text});
  }
  if (error == beast::error::timeout || error == beast::http::error::end_of_stream ||
      error == beast::http::error::partial_message ||
      error.category() != make_error_code(beast::http::error::end_of_stream).category()) {
    return std::nullopt;
  }
  return error_response(400, {ErrorCode::kInvalid, "not HTTP/1.1: " + error.message()});
}

}  // namespace

class Server::Impl {
 public:
  Impl(const Api& api, SocketPath path) : api_(api), path_(std::move(path)) {}

  Result<void> listen();
  void run() {
    asio::co_spawn(loop_, accept(), asio::detached);
    thread_ = std::thread([this] { loop_.run(); });
  }
  void stop();

 private:
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(std::list<Stream>::iterator connection);
  asio::awaitable<void> serve_requests(Stream& stream);
  asio::awaitable<bool> read(Stream& stream, beast::flat_buffer& buffer, Parser& parser);
  asio::awaitable<Response> answer(Stream& stream, Request request);
  asio::thread_pool& pool_for(const Route* route);
  asio::awaitable<bool> write(Stream& stream, Response answer, bool keep_alive);
  asio::awaitable<void> discard(Stream& stream);

  const Api& api_;
  SocketPath path_;
  asio::io_context loop_{1};
  Protocol::acceptor acceptor_{loop_};
  asio::steady_timer place_free_{loop_};
  std::list<Stream> connections_;
  std::stop_source stop_;
  asio::thread_pool workers_{kWorkers};
  asio::thread_pool waiters_{kWaiters};
  asio::thread_pool queries_{kQueries};
  std::thread thread_;
};

Result<void> Server::Impl::listen() {
  auto failed = [&](std::string_view doing, const std::string& why) {
    return fail(ErrorCode::kIo, "cannot {} the API's socket {}: {}", doing, path_.path(), why);
  };
  if (unlink(path_.path().c_str()) != 0 && errno != ENOENT) {
    return failed("remove what is in the place of", errno_text(errno));
  }
  error_code error;
  Protocol::endpoint endpoint(path_.path());
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (error) return failed("make", error.message());
  if (chmod(path_.path().c_str(), 0600) != 0) return failed("protect", errno_text(errno));
  acceptor_.listen(Protocol::socket::max_listen_connections, error);
  if (error) return failed("listen on", error.message());
  return {};
}

void Server::Impl::stop() {
  stop_.request_stop();
  asio::post(loop_, [this] {
    error_code ignored;
    acceptor_.close(ignored);
    place_free_.cancel();
    for (auto& connection : connections_) connection.close();
  });
  thread_.join();  // when the last answer is in
  workers_.join();
  waiters_.join();
  queries_.join();
  unlink(path_.path().c_str());
}

// Where there are as many connections as there may be, more wait in the socket's queue.
asio::awaitable<void> Server::Impl::accept() {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  while (acceptor_.is_open()) {
    if (connections_.size() >= limits::kApiConnectionsMax) {
      place_free_.expires_at(asio::steady_timer::time_point::max());
      co_await place_free_.async_wait(token);
      continue;
    }
    Protocol::socket socket(loop_);
    co_await acceptor_.async_accept(socket, token);
    if (error == asio::error::operation_aborted) break;
    if (error) {
      // Out of file descriptors, most likely: some come free in time.
      place_free_.expires_after(std::chrono::milliseconds(100));
      co_await place_free_.async_wait(token);
      continue;
    }
    auto connection = connections_.emplace(connections_.end(), std::move(socket));
    asio::co_spawn(loop_, serve(connection), asio::detached);
  }
}

asio::awaitable<void> Server::Impl::serve(std::list<Stream>::iterator connection) {
  try {
    co_await serve_requests(*connection);
  } catch (const std::exception&) {
    // Out of memory for this one; the others go on.
  }
  connections_.erase(connection);
  place_free_.cancel();
}

asio::awaitable<void> Server::Impl::serve_requests(Stream& stream) {
  beast::flat_buffer buffer(kHeaderBytesMax + limits::kApiRequestBytesMax);
  for (bool keep_alive = true; keep_alive && !stop_.stop_requested();) {
    Parser parser;
    parser.header_limit(kHeaderBytesMax);
    parser.body_limit(limits::kApiRecordRequestBytesMax);  // until the route is known
    bool whole = co_await read(stream, buffer, parser);
    if (!whole) co_return;
    keep_alive = parser.keep_alive();
    auto message = parser.release();
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    request.body = std::move(message.body());
    stream.expires_never();
    auto response = co_await answer(stream, std::move(request));
    keep_alive = co_await write(stream, std::move(response), keep_alive);
  }
}

// False where the connection is done: closed, too slow, or refused, which it was then told.
asio::awaitable<bool> Server::Impl::read(Stream& stream, beast::flat_buffer& buffer,
                                         Parser& parser) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  stream.expires_after(limits::kApiIdleMax);
  co_await beast::http::async_read_header(stream, buffer, parser, token);
  const auto* route = route_of(parser.get());
  parser.body_limit(body_bytes_max(route));
  if (!error && parser.content_length().value_or(0) > body_bytes_max(route))
    error = beast::http::error::body_limit;
  if (!error && !parser.is_done()) {
    if (beast::iequals(parser.get()[beast::http::field::expect], "100-continue")) {
      HttpResponse go_on{beast::http::status::continue_, 11};
      co_await beast::http::async_write(stream, go_on, token);
    }
    stream.expires_after(limits::kApiTransferMax);
    if (!error) co_await beast::http::async_read(stream, buffer, parser, token);
  }
  if (!error) co_return true;
  if (auto response = refusal(error, route)) {
    bool written = co_await write(stream, *std::move(response), false);
    if (!written) co_await discard(stream);
  }
  co_return false;
}

asio::thread_pool& Server::Impl::pool_for(const Route* route) {
  switch (route == nullptr ? Pace::kPrompt : route->pace) {
    case Pace::kPrompt:
      return workers_;
    case Pace::kWaiting:
      return waiters_;
    case Pace::kQuerying:
      return queries_;
  }
  return workers_;
}

// Asks the handler to give up when the server stops, and when the client has gone.
asio::awaitable<Response> Server::Impl::answer(Stream& stream, Request request) {
  std::stop_source unwanted;
  std::stop_callback stopping(stop_.get_token(), [&] { unwanted.request_stop(); });
  // An error is that both sides are closed: who only says no more still listens.
  stream.socket().async_wait(Protocol::socket::wait_error, [unwanted](error_code error) mutable {
    if (!error) unwanted.request_stop();
  });
  request.stop = unwanted.get_token();
  auto& pool = pool_for(Api::route_of(request.method, request.target));
  auto work = [this, request = std::move(request)]() -> asio::awaitable<Response> {
    co_return api_.handle(request);
  };
  auto response = co_await asio::co_spawn(pool, std::move(work), asio::use_awaitable);
  error_code ignored;
  stream.socket().cancel(ignored);
  co_return response;
}

// Whether the connection goes on.
asio::awaitable<bool> Server::Impl::write(Stream& stream, Response answer, bool keep_alive) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  auto response = to_http(std::move(answer), keep_alive);
  stream.expires_after(limits::kApiTransferMax);
  co_await beast::http::async_write(stream, response, token);
  if (!error && !keep_alive) stream.socket().shutdown(Protocol::socket::shutdown_send, error);
  co_return !error && keep_alive;
}

asio::awaitable<void> Server::Impl::discard(Stream& stream) {
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  std::string bytes(size_t{64} << 10, '\0');
  for (size_t left = kUnreadBytesMax; left > 0 && !error;) {
    auto count = co_await stream.async_read_some(asio::buffer(bytes), token);
    left -= std::min(left, count);
  }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  impl_->stop();
}

Result<std::unique_ptr<Server>> Server::start(const Api& api, const std::string& data_dir,
                                              Logger& logger) {
  auto impl = std::make_unique<Impl>(api, MR_TRY(SocketPath::in(data_dir)));
  MR_TRY(impl->listen());
  impl->run();
  logger.debug("the API answers", {{"socket", data_dir + "/api.sock"}});
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

}  // namespace millrace::http
