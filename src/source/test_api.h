// A source and its fetcher, for tests.
#pragma once

#include <string>

#include "source/source.h"

namespace millrace::source {

inline spec::Text text(std::string value) {
  return {.value = value, .shown = value, .place = {}, .secrets = {}};
}

inline spec::HttpSpec http(std::string url) {
  return {.url = text(std::move(url)), .headers = {}, .page = {}};
}

// The body of an answer, or its error.
inline Result<std::string_view> body_of(const Result<Response>& response) {
  if (!response) return std::unexpected(response.error());
  return response->body;
}

// A source and its fetcher.
struct Api {
  explicit Api(spec::HttpSpec http_spec) : spec(http_spec), fetcher(std::move(http_spec)) {}

  Result<Response> ask(int64_t page = 0, const std::stop_token& stop = {}) {
    auto request = request_for(spec, {.page = page});
    if (!request) return std::unexpected(request.error());
    return fetcher.fetch(*request, stop);
  }
  Result<std::string_view> fetch(int64_t page = 0, const std::stop_token& stop = {}) {
    return body_of(ask(page, stop));
  }

  spec::HttpSpec spec;
  Fetcher fetcher;
};

}  // namespace millrace::source
