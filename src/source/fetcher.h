// Requests to the API of one source.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "source/request.h"
#include "spec/spec.h"

namespace millrace::source {

// Readable zero bytes after the body that fetch returns: what simdjson asks for.
inline constexpr size_t kBodyPadding = 64;

// An answer with a status of 2xx, 304 where the request named what is known already, or one that
// says that there is no such page where it looked ahead.
struct Response {
  std::string_view body;  // decompressed; valid until the next fetch, kBodyPadding bytes behind it
  long status = 0;
  bool not_modified = false;       // what is known already still stands; no body
  bool has_no_items = false;       // 204, or a page that is not there; no body
  std::string content_type;        // as sent: "application/json; charset=utf-8"; or empty
  std::vector<std::string> links;  // the values of its Link headers (RFC 8288), unparsed
  std::string etag;                // as sent, quotes included; or empty
  std::string last_modified;       // as sent, where that was a second later or more; or empty
  std::string url;                 // after redirects, secrets included
};

// One per source; one thread. Keeps its connections open between requests.
class Fetcher {
 public:
  // `format`: what the API is asked for, unless the source's headers have an Accept.
  // `access_advice`: what to do where it refuses whoever asks (401, 403).
  explicit Fetcher(spec::HttpSpec spec, spec::Format format = spec::Format::kByType,
                   std::string_view access_advice = "check the source's auth or headers");
  ~Fetcher();
  Fetcher(Fetcher&&) noexcept;
  Fetcher& operator=(Fetcher&&) noexcept;

  // One request, with the source's headers and those of the request. Up to 10 redirects are
  // followed, to http and https; headers, auth and a body with secrets go to the configured
  // scheme, host and port only. Errors have no secret in them, whatever the server answers.
  // Errors, with the URL as shown and the beginning of the answer:
  //   kUnavailable  no connection, no whole answer in time, an HTML page where data should be,
  //                 408, 425, 429, 5xx, 403 with Retry-After; see retry_after
  //   kInvalid      another status, an unusable URL or header, too many redirects, a certificate
  //                 that proves nothing
  //   kLimit        a body beyond `response_max`, or headers beyond 256 KiB
  //   kCancelled    stop was requested, before the request or during it
  Result<Response> fetch(const Request& request, std::stop_token stop);

  // What is wrong with the last fetch's answer, said with its URL and without secrets, which a body
  // may have in it.
  Error about_answer(const Error& error) const;

  // A text about items without the secrets that an API may have put into them.
  std::string without_secrets(std::string_view text) const;

  // Retry-After of the last fetch's answer, whether it came as seconds or as a date.
  std::optional<std::chrono::seconds> retry_after() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::source
