// Taking URLs apart and putting them together, with libcurl's parser.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace millrace::source {

// All but letters, digits and -._~ as %XX.
std::string percent_encoded(std::string_view text);

// A parsed URL of any scheme.
class Url {
 public:
  // Error: kInvalid with the parser's reason; it does not name the URL, which may hold a secret.
  static Result<Url> parse(std::string_view text);

  // CURLUPART_SCHEME, …; "" where the URL has no such part.
  std::string part(CURLUPart part) const;
  std::string text() const { return part(CURLUPART_URL); }

  // The names and values of the query, decoded, in their order.
  std::vector<std::pair<std::string, std::string>> query() const;

  // Gives a query parameter this value: in its first place where it is there, else at the end.
  // All else of the query stays as written.
  Result<> set_parameter(std::string_view name, std::string_view value);

  // What a reference in a document at this URL points to (RFC 3986, section 5). Error: kInvalid.
  Result<Url> resolved(std::string_view reference) const;

  // User and password before the host.
  void drop_credentials();

  // Same scheme, host and port (RFC 6454).
  bool same_origin(const Url& other) const;

 private:
  struct Cleanup {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
  };
  explicit Url(CURLU* url) : url_(url) {}
  std::unique_ptr<CURLU, Cleanup> url_;
};

}  // namespace millrace::source
