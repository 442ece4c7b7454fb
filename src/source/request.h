// What a source asks its API next.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "source/cursor.h"
#include "spec/spec.h"

namespace millrace::source {

// One request, secrets included: nothing of it is for people's eyes.
struct Request {
  std::string url;  // whole; http, https or sample
  spec::HttpMethod method = spec::HttpMethod::kGet;
  // Beside those of the source; sent, like those, to the configured origin only.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  // of a POST
  // A hash of what is asked for, without secrets; two requests with the same are the same. Empty
  // where there can be none.
  std::string fingerprint;
  // Of the answer to the same request that is known already (Response); not empty: the API may say
  // that nothing has changed.
  std::string etag;
  std::string last_modified;
  bool looks_ahead = false;  // 400, 404, 410, 416 and 422 say that there is no such page
};

// The request for the page that the cursor points at: the source's URL and body, with the
// parameters of `page` and `since` set.
// Error: kInvalid, with the URL as shown, where it cannot be read, or a parameter has no place.
Result<Request> request_for(const spec::HttpSpec& http, const Cursor& cursor);

}  // namespace millrace::source
