#include "source/fetcher.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "base/time.h"
#include "source/sample.h"
#include "source/secrets.h"
#include "source/url.h"

namespace millrace::source {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kRedirectsMax = 10;
constexpr long kReceiveBytes = 128 << 10;             // read from a socket at once
constexpr size_t kBodyBytesKept = size_t{1} << 20;    // of a buffer, whatever the bodies need
constexpr size_t kErrorBodyBytes = size_t{64} << 10;  // of an error's body, searched for secrets

template <auto kCleanup>
struct CurlDelete {
  void operator()(auto* thing) const { kCleanup(thing); }
};
using Headers = std::unique_ptr<curl_slist, CurlDelete<curl_slist_free_all>>;

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  MR_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

bool is_success(long status) {
  return status >= 200 && status < 300;
}

bool is_worth_retrying(long status) {
  return status == 408 || status == 429 || status >= 500;
}

std::string_view advice(long status) {
  if (status == 401 || status == 403) return "; check the source's headers";
  if (status == 404 || status == 410) return "; check the source's url";
  if (is_worth_retrying(status)) return "; will be tried again";
  return "";
}

}  // namespace

class Fetcher::Impl {
 public:
  Impl(spec::HttpSpec spec, size_t body_bytes_max)
      : spec_(std::move(spec)), body_bytes_max_(body_bytes_max) {
    MR_CHECK(multi_ && easy_);
    secrets_.learn(spec_.url);
    for (const auto& [name, value] : spec_.headers) secrets_.learn(value);
    set_options();
  }

  Result<Response> fetch(const Request& request, const std::stop_token& stop);
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  // How one exchange of request and response ended.
  struct Answer {
    CURLcode code = CURLE_OK;
    bool stopped = false;
    long status = 0;
    std::string redirect;  // where to, of a 3xx
  };

  void set_options();
  Result<Headers> make_headers(const Request& request, bool to_configured_origin) const;
  Result<Response> follow(Request request, Url url, const std::stop_token& stop);
  Result<Answer> exchange(const Request& request, const Url& url, milliseconds timeout,
                          const std::stop_token& stop);
  void run_transfer(Answer& answer, const std::stop_token& stop);
  Result<Response> judge(const Answer& answer, const Request& request) const;
  std::string header(const char* name) const;
  void begin_body();
  static size_t on_body(char* bytes, size_t size, size_t count, void* self);
  size_t take_body(std::string_view bytes);

  // An error about this source's URL, free of secrets.
  std::unexpected<Error> failed(ErrorCode code, std::string_view what) const {
    return fail(code, "cannot fetch {}: {}", spec_.url.shown, secrets_.redact(what));
  }

  spec::HttpSpec spec_;
  size_t body_bytes_max_;
  Secrets secrets_;
  std::unique_ptr<CURLM, CurlDelete<curl_multi_cleanup>> multi_{curl_multi_init()};
  std::unique_ptr<CURL, CurlDelete<curl_easy_cleanup>> easy_{curl_easy_init()};
  std::string curl_error_ = std::string(CURL_ERROR_SIZE, '\0');
  std::string body_;
  size_t body_bytes_wanted_ = 0;  // the largest body of late, slowly forgotten
  bool body_too_large_ = false;
  std::optional<std::chrono::seconds> retry_after_;
};

void Fetcher::Impl::set_options() {
  auto* easy = easy_.get();
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_USERAGENT, "millrace/" MILLRACE_VERSION);
  set(easy, CURLOPT_ACCEPT_ENCODING, "");
  set(easy, CURLOPT_BUFFERSIZE, kReceiveBytes);
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, this);
  set(easy, CURLOPT_ERRORBUFFER, curl_error_.data());
  // Without it, giving up waits for a name server that hangs.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
}

Result<Response> Fetcher::Impl::fetch(const Request& request, const std::stop_token& stop) {
  retry_after_.reset();
  if (stop.stop_requested()) return failed(ErrorCode::kCancelled, "asked to stop");
  auto url = Url::parse(request.url);
  if (!url) return failed(ErrorCode::kInvalid, url.error().message());
  begin_body();
  Response response{.status = 200, .url = url->text()};
  auto scheme = url->part(CURLUPART_SCHEME);
  if (scheme == "sample") {
    auto made = append_sample_response(response.url, body_);
    if (!made) return failed(made.error().code(), made.error().message());
    response.content_type = "application/json";
  } else if (scheme == "http" || scheme == "https") {
    response = MR_TRY(follow(request, *std::move(url), stop));
  } else {
    return failed(ErrorCode::kInvalid, "a source's url begins with http://, https:// or sample://");
  }
  body_bytes_wanted_ = std::max(body_.size(), body_bytes_wanted_ - body_bytes_wanted_ / 8);
  body_.append(kBodyPadding, '\0');
  response.body = std::string_view(body_).substr(0, body_.size() - kBodyPadding);
  return response;
}

// libcurl could follow redirects by itself, but would take the configured headers, and the API
// keys in them, along to any server.
Result<Response> Fetcher::Impl::follow(Request request, Url url, const std::stop_token& stop) {
  auto deadline = steady_clock::now() + spec_.timeout;
  for (int redirects = 0; redirects <= kRedirectsMax; ++redirects) {
    auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    auto answer = MR_TRY(exchange(request, url, left, stop));
    if (answer.code != CURLE_OK || answer.stopped || answer.redirect.empty()) {
      auto response = MR_TRY(judge(answer, request));
      response.url = url.text();
      return response;
    }
    auto next = Url::parse(answer.redirect);
    if (!next) return failed(ErrorCode::kInvalid, "it redirects to a URL that cannot be read");
    auto scheme = next->part(CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") {
      return failed(ErrorCode::kInvalid,
                    fmt::format("it redirects to a URL of scheme '{}'", scheme));
    }
    url = *std::move(next);
    if (answer.status <= 303) request.method = spec::HttpMethod::kGet;
  }
  return failed(ErrorCode::kInvalid, fmt::format("more than {} redirects", kRedirectsMax));
}

Result<Fetcher::Impl::Answer> Fetcher::Impl::exchange(const Request& request, const Url& url,
                                                      milliseconds timeout,
                                                      const std::stop_token& stop) {
  auto configured = Url::parse(spec_.url.value);
  auto headers = MR_TRY(make_headers(request, configured && url.same_origin(*configured)));
  auto* easy = easy_.get();
  auto text = url.text();
  set(easy, CURLOPT_URL, text.c_str());
  set(easy, CURLOPT_HTTPHEADER, headers.get());
  set(easy, CURLOPT_HTTPGET, 1L);
  if (request.method == spec::HttpMethod::kPost) {
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<int64_t>(timeout.count(), 1)));
  body_.clear();
  body_too_large_ = false;
  curl_error_[0] = '\0';

  Answer answer;
  run_transfer(answer, stop);
  set(easy, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
  const char* redirect = nullptr;
  curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) answer.redirect = redirect;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
  if (retry_after > 0) retry_after_ = std::chrono::seconds(retry_after);
  return answer;
}

// curl_easy_perform notices a stop request after up to a second; this is woken by it.
void Fetcher::Impl::run_transfer(Answer& answer, const std::stop_token& stop) {
  auto* multi = multi_.get();
  std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
  auto failure = curl_multi_add_handle(multi, easy_.get());
  MR_CHECK(failure == CURLM_OK);
  for (int running = 1; failure == CURLM_OK;) {
    failure = curl_multi_perform(multi, &running);
    if (running == 0 || failure != CURLM_OK) break;
    answer.stopped = stop.stop_requested();
    if (answer.stopped) break;
    failure = curl_multi_poll(multi, nullptr, 0, 1'000, nullptr);
  }
  if (failure != CURLM_OK) answer.code = CURLE_OUT_OF_MEMORY;
  int left = 0;
  while (auto* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) answer.code = message->data.result;
  }
  curl_multi_remove_handle(multi, easy_.get());
}

Result<Response> Fetcher::Impl::judge(const Answer& answer, const Request& request) const {
  if (answer.stopped) return failed(ErrorCode::kCancelled, "asked to stop");
  Response response{.status = answer.status};
  response.not_modified =
      answer.status == 304 && !(request.etag.empty() && request.last_modified.empty());
  bool answered = answer.status != 0 && (answer.code == CURLE_OK || body_too_large_);
  if (answered && !is_success(answer.status) && !response.not_modified) {
    auto body = secrets_.redact(std::string_view(body_).substr(0, kErrorBodyBytes));
    auto code = is_worth_retrying(answer.status) ? ErrorCode::kUnavailable : ErrorCode::kInvalid;
    return failed(code, fmt::format("the server answered {}{}{}", answer.status,
                                    body.empty() ? "" : fmt::format(" with '{}'", excerpt(body)),
                                    advice(answer.status)));
  }
  if (body_too_large_) {
    return failed(ErrorCode::kLimit,
                  fmt::format("the answer is longer than {}; ask for fewer items a page",
                              format_bytes(body_bytes_max_)));
  }
  switch (answer.code) {
    case CURLE_OK:
      response.content_type = header("content-type");
      response.etag = header("etag");
      response.last_modified = header("last-modified");
      for (curl_header* link = nullptr; curl_easy_header(easy_.get(), "link", response.links.size(),
                                                         CURLH_HEADER, -1, &link) == CURLHE_OK;) {
        response.links.emplace_back(link->value);
      }
      return response;
    case CURLE_OPERATION_TIMEDOUT:
      return failed(ErrorCode::kUnavailable,
                    fmt::format("no whole answer within {}; will be tried again",
                                format_duration(spec_.timeout)));
    case CURLE_OUT_OF_MEMORY:
      return failed(ErrorCode::kLimit, "out of memory");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return failed(ErrorCode::kInvalid, curl_easy_strerror(answer.code));
    default:
      break;
  }
  std::string_view reason = curl_error_.c_str();
  return failed(ErrorCode::kUnavailable,
                fmt::format("{}; will be tried again",
                            reason.empty() ? curl_easy_strerror(answer.code) : reason));
}

// Of the last response; "" where it has none of that name.
std::string Fetcher::Impl::header(const char* name) const {
  curl_header* found = nullptr;
  bool there = curl_easy_header(easy_.get(), name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK;
  return there ? found->value : "";
}

Result<Headers> Fetcher::Impl::make_headers(const Request& request,
                                            bool to_configured_origin) const {
  Headers headers;
  auto add = [&](const std::string& line) {
    auto* longer = curl_slist_append(headers.get(), line.c_str());
    MR_CHECK(longer != nullptr);
    std::ignore = headers.release();
    headers.reset(longer);
  };
  bool accept_given = false;
  std::vector<std::pair<std::string, std::string>> wanted;
  if (to_configured_origin) {
    for (const auto& [name, value] : spec_.headers) wanted.emplace_back(name, value.value);
    wanted.insert(wanted.end(), request.headers.begin(), request.headers.end());
  }
  if (!request.etag.empty()) wanted.emplace_back("If-None-Match", request.etag);
  if (!request.last_modified.empty()) {
    wanted.emplace_back("If-Modified-Since", request.last_modified);
  }
  for (const auto& [name, value] : wanted) {
    constexpr std::string_view kLineEnds("\r\n\0", 3);
    if (name.empty() || name.find_first_of(":; \t\r\n") != name.npos ||
        value.find_first_of(kLineEnds) != value.npos) {
      return failed(ErrorCode::kInvalid,
                    fmt::format("'{}' cannot be a header: its name or value has a character that "
                                "headers cannot have (a line end?)",
                                excerpt(name)));
    }
    accept_given |= curl_strequal(name.c_str(), "accept") != 0;
    // To libcurl, "Name:" means not to send that header.
    add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  if (!accept_given) add("Accept: application/json");
  return headers;
}

// Keeps the buffer for the next body, unless bodies have become much smaller.
void Fetcher::Impl::begin_body() {
  body_.clear();
  if (body_.capacity() > kBodyBytesKept + 4 * body_bytes_wanted_) {
    body_.shrink_to_fit();
    body_.reserve(body_bytes_wanted_ + kBodyPadding);
  }
}

size_t Fetcher::Impl::on_body(char* bytes, size_t size, size_t count, void* self) {
  return static_cast<Impl*>(self)->take_body({bytes, size * count});
}

// What libcurl has received and decompressed; CURL_WRITEFUNC_ERROR ends the transfer.
size_t Fetcher::Impl::take_body(std::string_view bytes) {
  if (body_.empty()) {
    curl_off_t length = -1;
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    // A length beyond the limit needs no special case: the bytes will pass it.
    if (length > 0 && static_cast<size_t>(length) <= body_bytes_max_) {
      body_.reserve(static_cast<size_t>(length) + kBodyPadding);
    }
  }
  if (bytes.size() > body_bytes_max_ - body_.size()) {
    body_too_large_ = true;
    return CURL_WRITEFUNC_ERROR;
  }
  body_.append(bytes);
  return bytes.size();
}

Fetcher::Fetcher(spec::HttpSpec spec, size_t body_bytes_max)
    : impl_(std::make_unique<Impl>(std::move(spec), body_bytes_max)) {}
Fetcher::~Fetcher() = default;
Fetcher::Fetcher(Fetcher&&) noexcept = default;
Fetcher& Fetcher::operator=(Fetcher&&) noexcept = default;

Result<Response> Fetcher::fetch(const Request& request, std::stop_token stop) {
  return impl_->fetch(request, stop);
}

std::optional<std::chrono::seconds> Fetcher::retry_after() const {
  return impl_->retry_after();
}

}  // namespace millrace::source
