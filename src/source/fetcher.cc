#include "source/fetcher.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/check.h"
#include "base/text.h"
#include "base/time.h"
#include "source/sample.h"
#include "source/secrets.h"
#include "source/transfer.h"
#include "source/url.h"

namespace millrace::source {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kRedirectsMax = 10;
constexpr size_t kRedirectsShown = 4;  // of a chain that is too long
constexpr long kNoContent = 204;
constexpr size_t kErrorBodyBytes = size_t{64} << 10;  // of an error's body, searched for secrets
// To say more about a certificate that was refused.
constexpr milliseconds kCertificateTimeout{3'000};

bool is_success(long status) {
  return status >= 200 && status < 300;
}

bool is_redirect(long status) {
  return status >= 301 && status <= 308 && status != 304 && status != 305 && status != 306;
}

// What APIs answer to whom asks for a page past the last one.
bool is_no_such_page(long status) {
  return status == 400 || status == 404 || status == 410 || status == 416 || status == 422;
}

// 403 is what some APIs answer to whom they ask for patience.
bool is_worth_retrying(const Answer& answer) {
  return answer.status == 408 || answer.status == 425 || answer.status == 429 ||
         answer.status >= 500 || (answer.status == 403 && answer.retry_after);
}

// What to do about a status that is not worth retrying.
std::string_view advice(long status) {
  switch (status) {
    case 304:
      return "it was not asked whether anything is new: check the source's headers";
    case 402:
      return "it asks for a payment or a larger plan";
    case 404:
    case 410:
    case 414:
      return "check the source's url";
    case 405:
      return "check the source's method";
    case 406:
      return "check `Accept` of the source's headers";
    case 413:
      return "check the source's body";
    case 415:
      return "check `Content-Type` of the source's headers, and its body";
    default:
      return status < 400 ? "it does not say where to ask instead: check the source's url"
                          : "check the source's url, headers and body";
  }
}

// Last-Modified, where it tells this answer from any later one: an answer that was sent within the
// same second may have changed after it once more (RFC 9110, 8.8.2.2).
std::string telling_last_modified(std::string modified, const std::string& date) {
  auto modified_s = curl_getdate(modified.c_str(), nullptr);
  auto sent_s = curl_getdate(date.c_str(), nullptr);
  return modified_s != -1 && sent_s > modified_s ? std::move(modified) : "";
}

// What a source would like to get; anything else is looked at, too.
std::string_view accepted(spec::Format format) {
  switch (format) {
    case spec::Format::kCsv:
      return "text/csv, */*;q=0.1";
    case spec::Format::kJsonLines:
      return "application/x-ndjson, application/jsonl, */*;q=0.1";
    default:
      return "application/json, */*;q=0.1";
  }
}

bool begins_with_markup(std::string_view body) {
  auto begin = body.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  return begin != body.npos && body[begin] == '<';
}

std::string_view tls_advice(std::string_view reason) {
  if (reason.contains("expired"))
    return "Its owner must renew it, unless the clock of this machine is wrong";
  if (reason.contains("not yet valid")) return "Check the clock of this machine";
  if (reason.contains("target host name")) return "Check the host in the source's url";
  if (reason.contains("self-signed") || reason.contains("self signed") ||
      reason.contains("local issuer") || reason.contains("unable to get issuer"))
    return "If it is the right server, name a file with the certificate of its authority in the "
           "source's `tls: {ca: …}`";
  return "Ask the server's owner";
}

// What is probably wrong where a connection that should be TLS came to nothing. A server that asks
// for a certificate says so once the handshake is done, and closes: who is sending by then may only
// see that.
std::string_view handshake_advice(std::string_view reason, bool may_need_certificate) {
  if (reason.contains("wrong version number") || reason.contains("packet length too long"))
    return "; the server does not speak TLS there: should the source's url begin with http://?";
  if (reason.contains("certificate required") || reason.contains("handshake failure") ||
      reason.contains("unknown ca") || reason.contains("bad certificate"))
    return "; where the server asks for a certificate, name one that it knows in the source's "
           "`tls: {certificate: …, key: …}`";
  if (may_need_certificate && (reason.contains("Broken pipe") || reason.contains("reset by peer")))
    return "; will be tried again; if the server asks for a certificate, name one that it knows in "
           "the source's `tls: {certificate: …, key: …}`";
  return "; will be tried again";
}

}  // namespace

class Fetcher::Impl {
 public:
  Impl(spec::HttpSpec spec, spec::Format format, std::string_view access_advice);

  Result<Response> fetch(const Request& request, const std::stop_token& stop);
  Error about_answer(const Error& error) const {
    return {error.code(), fmt::format("cannot use what {} answered: {}", asked_,
                                      secrets_.redact(error.message()))};
  }
  std::string without_secrets(std::string_view text) const { return secrets_.redact(text); }
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  Result<Response> follow(Request request, Url url, const std::stop_token& stop);
  Result<Exchange> make_exchange(const Request& request, const Url& url) const;
  Result<> add_header(std::string_view name, std::string_view value, Exchange& to) const;
  Result<> redirect(const Answer& answer, Request& request, Url& url) const;
  Result<Response> judge(const Answer& answer, const Request& request, const Url& url,
                         const std::stop_token& stop);
  std::unexpected<Error> refused(const Answer& answer);
  std::string_view advice_on(const Answer& answer) const;
  std::unexpected<Error> broken(const Answer& answer, const Url& url, const std::stop_token& stop);
  std::unexpected<Error> distrusted(const Answer& answer, const Url& url,
                                    const std::stop_token& stop);
  bool is_configured_origin(const Url& url) const;

  // An error about the URL that was asked, free of secrets.
  std::unexpected<Error> failed(ErrorCode code, std::string_view what) const {
    return fail(code, "cannot fetch {}: {}", asked_, secrets_.redact(what));
  }

  // The beginning of the body.
  std::string shown_body() {
    return excerpt(secrets_.redact(excerpt(transfer_.body(), kErrorBodyBytes)));
  }

  spec::HttpSpec spec_;
  spec::Format format_;
  std::string access_advice_;
  Secrets secrets_;
  std::string authorization_;  // the header's value; "": none
  Transfer transfer_;
  std::string asked_;  // as shown
  std::optional<std::chrono::seconds> retry_after_;
};

Fetcher::Impl::Impl(spec::HttpSpec spec, spec::Format format, std::string_view access_advice)
    : spec_(std::move(spec)),
      format_(format),
      access_advice_(access_advice),
      transfer_(spec_.tls, spec_.connect_timeout, static_cast<size_t>(spec_.response_max)) {
  auto learn = [this](const spec::Text& text) {
    for (const auto& secret : text.secrets) secrets_.learn(secret.value);
  };
  learn(spec_.url);
  for (const auto& header : spec_.headers) learn(header.second);
  learn(spec_.body);
  learn(spec_.tls.key_password);
  if (!spec_.auth) return;
  learn(spec_.auth->bearer);
  authorization_ = "Bearer " + spec_.auth->bearer.value;
  if (const auto& basic = spec_.auth->basic) {
    learn(basic->user);
    learn(basic->password);
    std::string both;
    append_base64(basic->user.value + ":" + basic->password.value, both);
    authorization_ = "Basic " + both;
    secrets_.learn(both);
  }
}

Result<Response> Fetcher::Impl::fetch(const Request& request, const std::stop_token& stop) {
  retry_after_.reset();
  asked_ = request.url == spec_.url.value ? spec_.url.shown : secrets_.redact(request.url);
  if (stop.stop_requested()) return failed(ErrorCode::kCancelled, "asked to stop");
  auto url = Url::parse(request.url);
  if (!url) return failed(ErrorCode::kInvalid, url.error().message());
  transfer_.begin_body();
  Response response{.status = 200, .content_type = "application/json", .url = url->text()};
  auto scheme = url->part(CURLUPART_SCHEME);
  if (scheme == "sample") {
    auto made = append_sample_response(response.url, transfer_.body());
    if (!made) return failed(made.error().code(), made.error().message());
  } else if (scheme == "http" || scheme == "https") {
    response = MR_TRY(follow(request, *std::move(url), stop));
  } else {
    return failed(ErrorCode::kInvalid, "a source's url begins with http://, https:// or sample://");
  }
  response.body = transfer_.padded_body(kBodyPadding);
  return response;
}

// libcurl could follow redirects by itself, but would take the configured headers, and the API
// keys in them, along to any server.
Result<Response> Fetcher::Impl::follow(Request request, Url url, const std::stop_token& stop) {
  auto deadline = steady_clock::now() + spec_.timeout;
  std::string chain;
  for (size_t redirects = 0; redirects <= kRedirectsMax; ++redirects) {
    auto exchange = MR_TRY(make_exchange(request, url));
    exchange.timeout = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    auto answer = transfer_.run(exchange, stop);
    if (!answer.is_whole() || !is_redirect(answer.status) || answer.redirect.empty())
      return judge(answer, request, url, stop);
    MR_TRY(redirect(answer, request, url));
    if (redirects < kRedirectsShown) chain += fmt::format(" → {}", excerpt(url.text(), 100));
  }
  return failed(
      ErrorCode::kInvalid,
      fmt::format("more than {} redirects:{} → …; check the source's url", kRedirectsMax, chain));
}

bool Fetcher::Impl::is_configured_origin(const Url& url) const {
  auto configured = Url::parse(spec_.url.value);
  return configured && url.same_origin(*configured);
}

// The request and URL that a redirect asks for.
Result<> Fetcher::Impl::redirect(const Answer& answer, Request& request, Url& url) const {
  auto next = Url::parse(answer.redirect);
  if (!next)
    return failed(ErrorCode::kInvalid,
                  "it redirects to a URL that cannot be read; check the source's url");
  auto scheme = next->part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return failed(ErrorCode::kInvalid,
                  fmt::format("it redirects to a URL of scheme '{}', and only http and https are "
                              "followed; check the source's url",
                              scheme));
  }
  url = *std::move(next);
  // As browsers do (RFC 9110, 15.4): only 307 and 308 keep the method.
  if (answer.status <= 303) request.method = spec::HttpMethod::kGet;
  return {};
}

Result<> Fetcher::Impl::add_header(std::string_view name, std::string_view value,
                                   Exchange& to) const {
  constexpr std::string_view kLineEnds("\r\n\0", 3);
  if (name.empty() || name.find_first_of(":; \t\r\n") != name.npos ||
      value.find_first_of(kLineEnds) != value.npos) {
    return failed(ErrorCode::kInvalid,
                  fmt::format("'{}' cannot be a header: its name or value has a character that "
                              "headers cannot have (a line end?)",
                              excerpt(name)));
  }
  // To libcurl, "Name:" means not to send that header.
  to.headers.push_back(value.empty() ? fmt::format("{};", name)
                                     : fmt::format("{}: {}", name, value));
  return {};
}

Result<Exchange> Fetcher::Impl::make_exchange(const Request& request, const Url& url) const {
  Exchange exchange{.url = url.text(), .method = request.method};
  bool configured = is_configured_origin(url);
  if (request.method == spec::HttpMethod::kPost) {
    if (!configured && !spec_.body.secrets.empty())
      return failed(ErrorCode::kInvalid,
                    fmt::format("the body, with its secrets, goes to the configured server only, "
                                "and this would send it to {}; check the source's url",
                                excerpt(exchange.url)));
    exchange.body = request.body;
  }
  auto given = [&](const char* name) {
    auto is_name = [&](const auto& header) {
      return curl_strequal(header.first.c_str(), name) != 0;
    };
    return configured && (std::ranges::any_of(spec_.headers, is_name) ||
                          std::ranges::any_of(request.headers, is_name));
  };
  if (configured) {
    for (const auto& [name, value] : spec_.headers) MR_TRY(add_header(name, value.value, exchange));
    for (const auto& [name, value] : request.headers) MR_TRY(add_header(name, value, exchange));
    if (!authorization_.empty()) MR_TRY(add_header("Authorization", authorization_, exchange));
  }
  if (!request.etag.empty()) MR_TRY(add_header("If-None-Match", request.etag, exchange));
  if (!request.last_modified.empty())
    MR_TRY(add_header("If-Modified-Since", request.last_modified, exchange));
  if (!given("accept")) MR_TRY(add_header("Accept", accepted(format_), exchange));
  if (request.method != spec::HttpMethod::kPost) return exchange;
  // Large bodies need not wait for servers that never say "100 Continue".
  exchange.headers.emplace_back("Expect:");
  if (spec_.body_is_json && !given("content-type"))
    MR_TRY(add_header("Content-Type", "application/json", exchange));
  return exchange;
}

Result<Response> Fetcher::Impl::judge(const Answer& answer, const Request& request, const Url& url,
                                      const std::stop_token& stop) {
  if (answer.stopped) return failed(ErrorCode::kCancelled, "asked to stop");
  Response response{.status = answer.status, .url = url.text()};
  response.not_modified =
      answer.status == 304 && !(request.etag.empty() && request.last_modified.empty());
  bool answered = answer.status != 0 && (answer.code == CURLE_OK || answer.too_large);
  bool is_absent = request.looks_ahead && is_no_such_page(answer.status);
  if (answered && !is_success(answer.status) && !response.not_modified && !is_absent)
    return refused(answer);
  if (answer.code != CURLE_OK) return broken(answer, url, stop);
  response.has_no_items = is_absent || answer.status == kNoContent;
  response.content_type = transfer_.header("content-type");
  response.etag = transfer_.header("etag");
  response.last_modified =
      telling_last_modified(transfer_.header("last-modified"), transfer_.header("date"));
  response.links = transfer_.headers("link");
  if (is_absent) {
    transfer_.begin_body();
    return response;
  }
  bool markup = response.content_type.contains("html") || response.content_type.contains("xml");
  if (markup && begins_with_markup(transfer_.body())) {
    // Pages for maintenance and logging in come like this, and go.
    return failed(ErrorCode::kUnavailable,
                  fmt::format("the server answered {}, which is no data: '{}'; check the source's "
                              "url; will be tried again",
                              excerpt(response.content_type), shown_body()));
  }
  return response;
}

// A status that is no success.
std::unexpected<Error> Fetcher::Impl::refused(const Answer& answer) {
  retry_after_ = answer.retry_after;
  auto body = shown_body();
  auto code = is_worth_retrying(answer) ? ErrorCode::kUnavailable : ErrorCode::kInvalid;
  return failed(
      code, fmt::format("the server answered {}{}; {}", answer.status,
                        body.empty() ? "" : fmt::format(" with '{}'", body), advice_on(answer)));
}

std::string_view Fetcher::Impl::advice_on(const Answer& answer) const {
  if (is_worth_retrying(answer)) return "will be tried again";
  if (answer.status == 401 || answer.status == 403) return access_advice_;
  return advice(answer.status);
}

// No whole answer.
std::unexpected<Error> Fetcher::Impl::broken(const Answer& answer, const Url& url,
                                             const std::stop_token& stop) {
  if (answer.too_large)
    return failed(ErrorCode::kLimit,
                  fmt::format("the answer is longer than {}; ask for fewer items a page, or give "
                              "the source a larger `response_max`",
                              format_size(spec_.response_max)));
  if (answer.headers_too_large)
    return failed(ErrorCode::kLimit,
                  "the answer's headers are longer than 256 KiB, which no API needs; check the "
                  "source's url");
  switch (answer.code) {
    case CURLE_OPERATION_TIMEDOUT:
      if (!answer.connected)
        return failed(ErrorCode::kUnavailable,
                      fmt::format("no connection within {} ({}); will be tried again",
                                  format_duration(std::min(spec_.connect_timeout, spec_.timeout)),
                                  answer.reason));
      return failed(
          ErrorCode::kUnavailable,
          fmt::format("no whole answer within {}, of which {} came; will be tried again, "
                      "or give the source a longer `timeout`",
                      format_duration(spec_.timeout), format_bytes(transfer_.body().size())));
    case CURLE_OUT_OF_MEMORY:
      return failed(ErrorCode::kLimit, "out of memory");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return failed(ErrorCode::kInvalid, curl_easy_strerror(answer.code));
    case CURLE_BAD_CONTENT_ENCODING:
      return failed(ErrorCode::kUnavailable,
                    fmt::format("the answer cannot be decompressed ({}); will be tried again",
                                answer.reason));
    case CURLE_SSL_CERTPROBLEM:
      return failed(ErrorCode::kInvalid,
                    fmt::format("{}; check `certificate`, `key` and `key_password` of the "
                                "source's `tls`",
                                answer.reason));
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
      return distrusted(answer, url, stop);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: {
      bool may_need_certificate =
          url.part(CURLUPART_SCHEME) == "https" && spec_.tls.certificate.empty();
      return failed(ErrorCode::kUnavailable,
                    fmt::format("{}{}", answer.reason,
                                handshake_advice(answer.reason, may_need_certificate)));
    }
    default:
      return failed(ErrorCode::kUnavailable, fmt::format("{}; will be tried again", answer.reason));
  }
}

// A server that did not prove who it is.
std::unexpected<Error> Fetcher::Impl::distrusted(const Answer& answer, const Url& url,
                                                 const std::stop_token& stop) {
  if (answer.code == CURLE_SSL_CACERT_BADFILE && !spec_.tls.ca.empty())
    return failed(ErrorCode::kInvalid, fmt::format("{}; check `ca` of the source's `tls`, {}",
                                                   answer.reason, spec_.tls.ca));
  if (spec_.tls.ca.empty() && (answer.code == CURLE_SSL_CACERT_BADFILE || system_ca_file().empty()))
    return failed(ErrorCode::kInvalid,
                  fmt::format("{}: this machine has no certificates of authorities to check the "
                              "server's against; install its package ca-certificates, or name a "
                              "file of them in SSL_CERT_FILE",
                              answer.reason));
  auto certificate = transfer_.describe_certificate(url.text(), kCertificateTimeout, stop);
  if (!certificate.empty()) certificate += ". ";
  return failed(ErrorCode::kInvalid,
                fmt::format("the certificate of {} is refused: {}. {}{}", url.part(CURLUPART_HOST),
                            answer.reason, certificate, tls_advice(answer.reason)));
}

Fetcher::Fetcher(spec::HttpSpec spec, spec::Format format, std::string_view access_advice)
    : impl_(std::make_unique<Impl>(std::move(spec), format, access_advice)) {}
Fetcher::~Fetcher() = default;
Fetcher::Fetcher(Fetcher&&) noexcept = default;
Fetcher& Fetcher::operator=(Fetcher&&) noexcept = default;

Result<Response> Fetcher::fetch(const Request& request, std::stop_token stop) {
  return impl_->fetch(request, stop);
}

Error Fetcher::about_answer(const Error& error) const {
  return impl_->about_answer(error);
}

std::string Fetcher::without_secrets(std::string_view text) const {
  return impl_->without_secrets(text);
}

std::optional<std::chrono::seconds> Fetcher::retry_after() const {
  return impl_->retry_after();
}

}  // namespace millrace::source
