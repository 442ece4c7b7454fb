// One exchange of request and response over HTTP, by libcurl.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.h"

namespace millrace::source {

template <auto kCleanup>
struct CurlDelete {
  void operator()(auto* thing) const { kCleanup(thing); }
};

struct Exchange {
  std::string url;
  spec::HttpMethod method = spec::HttpMethod::kGet;
  std::string_view body;
  std::vector<std::string> headers;  // as libcurl takes them: "Name: value", "Name;" without one
  std::chrono::milliseconds timeout{0};
};

// How an exchange ended.
struct Answer {
  CURLcode code = CURLE_OK;
  std::string reason;  // why the code is not CURLE_OK, in libcurl's words
  bool stopped = false;
  bool connected = false;  // the request could be sent
  bool too_large = false;  // the body passed its limit
  bool headers_too_large = false;
  long status = 0;
  std::string redirect;  // where to, of a 3xx
  std::optional<std::chrono::seconds> retry_after;

  bool is_whole() const { return code == CURLE_OK && !stopped; }
};

// One thread. Keeps its connections open between exchanges, and its buffer between bodies.
class Transfer {
 public:
  Transfer(const spec::TlsSpec& tls, std::chrono::milliseconds connect_timeout,
           size_t body_bytes_max);
  ~Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Answer run(const Exchange& exchange, const std::stop_token& stop);

  // Of the last answer; header() is "" where it has none of that name.
  std::string header(const char* name) const;
  std::vector<std::string> headers(const char* name) const;
  std::string& body() { return body_; }
  // Before a body that is not fetched: empties the buffer.
  void begin_body();
  // The body with `padding` readable zero bytes behind it.
  std::string_view padded_body(size_t padding);

  // What the server of this URL shows to prove who it is, for an error's text: "It is for …, was
  // issued by … and is valid until …"; "" where it cannot be had. Connects, and asks nothing.
  std::string describe_certificate(const std::string& url, std::chrono::milliseconds timeout,
                                   const std::stop_token& stop);

 private:
  using Easy = std::unique_ptr<CURL, CurlDelete<curl_easy_cleanup>>;

  void set_options(const spec::TlsSpec& tls, std::chrono::milliseconds connect_timeout);
  CURLcode perform(CURL* easy, bool& stopped, const std::stop_token& stop);
  static size_t on_body(char* bytes, size_t size, size_t count, void* self);
  static size_t on_header(char* bytes, size_t size, size_t count, void* self);
  size_t take_body(std::string_view bytes);

  size_t body_bytes_max_;
  std::unique_ptr<CURLM, CurlDelete<curl_multi_cleanup>> multi_{curl_multi_init()};
  Easy easy_{curl_easy_init()};
  std::string curl_error_ = std::string(CURL_ERROR_SIZE, '\0');
  std::string body_;
  size_t body_bytes_wanted_ = 0;  // the largest body of late, slowly forgotten
  size_t header_bytes_ = 0;
  bool too_large_ = false;
  bool headers_too_large_ = false;
};

// The file of certificate authorities that servers are checked against: SSL_CERT_FILE, or where
// Linux distributions keep it; "" where there is none.
std::string system_ca_file();

}  // namespace millrace::source
