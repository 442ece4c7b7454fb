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
  // Of the answer to the same request that is known already (Response); not empty: the API may say
  // that nothing has changed.
  std::string etag;
  std::string last_modified;
};

// The request for the page that the cursor points at: the source's URL, with its page parameter
// set to cursor.page where the source has one (`page:`).
// Error: kInvalid, with the URL as shown, where it cannot be read.
Result<Request> request_for(const spec::HttpSpec& http, const Cursor& cursor);

}  // namespace millrace::source
