// What the API answers, however a request came.
#pragma once

#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "pipeline/instance.h"

namespace millrace::http {

struct Request {
  std::string method;  // "GET"
  std::string target;  // "/v1/tap/users?limit=3"
  std::string body;
  std::stop_token
      stop;  // asks a handler that waits or computes to give up: nobody wants its answer
};

struct Response {
  int status = 200;
  std::string body;   // JSON
  std::string allow;  // of a 405: the methods that the path has
};
Response error_response(int status, const Error& error);

struct Parameter {
  std::string_view name;
  std::string_view doc;
};

class Call;
class Api;

// What a request may take its time for; those of one pace wait for each other only.
enum class Pace {
  kPrompt,
  kWaiting,   // for what is not there yet, as its caller asks
  kQuerying,  // whatever its caller's SQL does
};

// One thing that the API can do. A piece of `pattern` in braces takes any piece of a path, and
// "{address...}" all that is left.
struct Route {
  std::string_view method;
  std::string_view pattern;
  std::vector<Parameter> parameters;
  Result<std::string> (*handler)(const Api& api, const Call& call);
  std::string_view doc;
  Pace pace = Pace::kPrompt;
  size_t body_bytes_max = limits::kApiRequestBytesMax;
};
std::span<const Route> routes();

// Safe from any thread.
class Api {
 public:
  Api(pipeline::Instance& instance, std::string version)
      : instance_(instance), version_(std::move(version)) {}

  Response handle(const Request& request) const;
  // The route that a request takes; null: there is none.
  static const Route* route_of(std::string_view method, std::string_view target);

  pipeline::Instance& instance() const { return instance_; }
  const std::string& version() const { return version_; }

 private:
  pipeline::Instance& instance_;
  std::string version_;
};

}  // namespace millrace::http
