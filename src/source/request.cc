#include "source/request.h"

#include "source/url.h"

namespace millrace::source {

Result<Request> request_for(const spec::HttpSpec& http, const Cursor& cursor) {
  auto doing = "cannot fetch " + http.url.shown;
  auto url = MR_TRY_IN(Url::parse(http.url.value), doing);
  if (http.page) {
    MR_TRY_IN(url.set_parameter(http.page->parameter, std::to_string(cursor.page)), doing);
  }
  return Request{.url = url.text(), .method = http.method, .body = http.body.value};
}

}  // namespace millrace::source
