// Requests to the API of one source.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>

#include "base/error.h"
#include "base/limits.h"
#include "source/cursor.h"
#include "spec/spec.h"

namespace millrace::source {

// Readable zero bytes after the body that fetch returns: what simdjson asks for.
inline constexpr size_t kBodyPadding = 64;

// One per source; one thread. Keeps its connections open between requests.
class Fetcher {
 public:
  // `body_bytes_max` is the limit of one body after decompression.
  explicit Fetcher(spec::HttpSpec spec, size_t body_bytes_max = limits::kResponseBytesMax);
  ~Fetcher();
  Fetcher(Fetcher&&) noexcept;
  Fetcher& operator=(Fetcher&&) noexcept;

  // One GET of the source's URL, with its page parameter set to cursor.page where the source has
  // one (`page:`). Returns the body of a 2xx answer, valid until the next fetch and followed by
  // kBodyPadding bytes. Up to 10 redirects are followed, to http and https; configured headers go
  // to the configured scheme, host and port only.
  // Errors, with the URL as shown and the beginning of the answer:
  //   kUnavailable  no connection, no answer in time, 408, 429, 5xx; see retry_after
  //   kInvalid      another status, an unusable URL or header, too many redirects
  //   kLimit        a body beyond body_bytes_max
  //   kCancelled    stop was requested, before the request or during it
  Result<std::string_view> fetch(const Cursor& cursor, std::stop_token stop);

  // Retry-After of the last fetch's answer, whether it came as seconds or as a date.
  std::optional<std::chrono::seconds> retry_after() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::source
