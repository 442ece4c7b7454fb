#include "cli/client.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/check.h"
#include "base/logger.h"
#include "base/text.h"
#include "cli/json_text.h"
#include "door/http/http.h"
#include "io/io.h"
#include "pipeline/instance.h"

namespace millrace::cli {
namespace {

constexpr long kConnectSeconds = 5;

// How often a data directory in use is tried again.
constexpr int kTries = 30;
constexpr std::chrono::milliseconds kBetweenTries{100};

struct CurlDelete {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  MR_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

size_t append_body(char* bytes, size_t size, size_t count, void* body) {
  static_cast<std::string*>(body)->append(bytes, size * count);
  return size * count;
}

// Whether somebody listens there.
bool accepts(const std::string& path) {
  int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  bool accepted = connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(socket);
  return accepted;
}

ErrorCode code_of(std::string_view name) {
  for (auto code :
       {ErrorCode::kInvalid, ErrorCode::kNotFound, ErrorCode::kConflict, ErrorCode::kCorrupt,
        ErrorCode::kIo, ErrorCode::kUnavailable, ErrorCode::kLimit, ErrorCode::kUnsupported}) {
    if (to_string(code) == name) return code;
  }
  return ErrorCode::kUnavailable;
}

Result<Answer> to_answer(long status, std::string body) {
  if (status == 200) return Answer(std::move(body));
  auto json = nlohmann::json::parse(body, nullptr, false);
  const nlohmann::json none = nlohmann::json::object();
  const auto& error = json.is_object() && json.contains("error") ? json["error"] : none;
  if (!error.is_object() || !error.contains("message") || !error["message"].is_string() ||
      !error.contains("code") || !error["code"].is_string()) {
    return fail(ErrorCode::kUnavailable, "the process that runs there answered {} with '{}'",
                status, excerpt(body));
  }
  return fail(code_of(error["code"].get<std::string>()), "{}", error["message"].get<std::string>());
}

}  // namespace

Answer::Answer(std::string json) : bytes_(std::move(json)), size_(bytes_.size()) {
  bytes_.append(kJsonPadding, '\0');
}

class Client::Way {
 public:
  virtual ~Way() = default;
  virtual bool is_live() const = 0;
  virtual Result<Answer> ask(std::string method, const std::string& target, std::string body) = 0;
  virtual Result<void> close() { return {}; }
};

class Client::Socket final : public Client::Way {
 public:
  explicit Socket(http::SocketPath path) : path_(std::move(path)), easy_(curl_easy_init()) {
    MR_CHECK(easy_);
  }
  bool is_live() const override { return true; }
  Result<Answer> ask(std::string method, const std::string& target, std::string body) override;

 private:
  http::SocketPath path_;
  std::unique_ptr<CURL, CurlDelete> easy_;
};

Result<Answer> Client::Socket::ask(std::string method, const std::string& target,
                                   std::string body) {
  auto* easy = easy_.get();
  curl_easy_reset(easy);
  std::string received;
  std::string words(CURL_ERROR_SIZE, '\0');
  auto url = "http://localhost" + target;
  set(easy, CURLOPT_UNIX_SOCKET_PATH, path_.path().c_str());
  set(easy, CURLOPT_URL, url.c_str());
  set(easy, CURLOPT_NOPROXY, "*");
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(easy, CURLOPT_ERRORBUFFER, words.data());
  set(easy, CURLOPT_WRITEFUNCTION, &append_body);
  set(easy, CURLOPT_WRITEDATA, &received);
  if (method == "POST") {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(easy, CURLOPT_POSTFIELDS, body.c_str());
  }
  auto code = curl_easy_perform(easy);
  if (code != CURLE_OK) {
    std::string_view why = words.c_str();
    return fail(ErrorCode::kUnavailable, "the process that ran the pipeline does not answer: {}",
                why.empty() ? curl_easy_strerror(code) : why);
  }
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return to_answer(status, std::move(received));
}

class Client::AtRest final : public Client::Way {
 public:
  AtRest() : logger_(LogFormat::kText, LogLevel::kError) {}
  Result<void> open(const std::string& data_dir, std::string_view version, bool read_only) {
    instance_ = MR_TRY(
        pipeline::Instance::open({.data_dir = data_dir, .read_only = read_only}, logger_, clock_));
    api_.emplace(*instance_, std::string(version));
    return {};
  }
  Result<void> prepare(const spec::Pipeline& pipeline) { return instance_->prepare(pipeline); }
  Result<void> close() override { return instance_->stop(); }
  bool is_live() const override { return false; }
  Result<Answer> ask(std::string method, const std::string& target, std::string body) override {
    auto response = api_->handle({std::move(method), target, std::move(body), {}});
    return to_answer(response.status, std::move(response.body));
  }

 private:
  Logger logger_;
  io::SystemClock clock_;
  std::unique_ptr<pipeline::Instance> instance_;
  std::optional<http::Api> api_;
};

Client::Client(std::unique_ptr<Way> way) : way_(std::move(way)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::open_by(const std::string& data_dir,
                               const std::function<Result<std::unique_ptr<Way>>()>& open_at_rest) {
  // A pipeline that is just starting or stopping has the data, but does not answer.
  io::SystemClock clock;
  for (int left = kTries;; --left) {
    auto path = http::SocketPath::in(data_dir);
    if (path && accepts(path->path())) return Client(std::make_unique<Socket>(*std::move(path)));
    auto opened = open_at_rest();
    if (opened) return Client(*std::move(opened));
    if (opened.error().code() != ErrorCode::kConflict || left == 0)
      return std::unexpected(std::move(opened).error());
    clock.wait(kBetweenTries, {});
  }
}

Result<Client> Client::open(const std::string& data_dir, std::string_view version) {
  return open_by(data_dir, [&]() -> Result<std::unique_ptr<Way>> {
    auto at_rest = std::make_unique<AtRest>();
    MR_TRY(at_rest->open(data_dir, version, true));
    return at_rest;
  });
}

Result<Client> Client::open_writable(const std::string& data_dir, std::string_view version,
                                     AtRest*& opened) {
  opened = nullptr;
  return open_by(data_dir, [&]() -> Result<std::unique_ptr<Way>> {
    // To look first: a data directory is not made here.
    MR_TRY(AtRest().open(data_dir, version, true));
    auto at_rest = std::make_unique<AtRest>();
    MR_TRY(at_rest->open(data_dir, version, false));
    opened = at_rest.get();
    return at_rest;
  });
}

Result<Client> Client::open_to_produce(const std::string& data_dir, std::string_view version) {
  AtRest* at_rest = nullptr;
  return open_writable(data_dir, version, at_rest);
}

Result<Client> Client::open_to_change(const std::string& data_dir, std::string_view version,
                                      const std::function<Result<spec::Pipeline>()>& load) {
  AtRest* at_rest = nullptr;
  auto opened = open_writable(data_dir, version, at_rest);
  if (!opened || at_rest == nullptr) return opened;
  auto pipeline = MR_TRY(load());
  MR_TRY(at_rest->prepare(pipeline));
  return opened;
}

bool Client::is_live() const {
  return way_->is_live();
}
Result<Answer> Client::get(const std::string& target) {
  return way_->ask("GET", target, "");
}
Result<Answer> Client::post(const std::string& target, std::string body) {
  return way_->ask("POST", target, std::move(body));
}

Result<void> Client::close() {
  return way_->close();
}

}  // namespace millrace::cli
