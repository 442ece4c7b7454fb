// A request that found its route, as the handlers see it. Inside door/http only.
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "door/http/api.h"
#include "door/http/target.h"

namespace millrace::http {

class Call {
 public:
  Call(Target target, std::vector<std::string> taken, const Request& request)
      : target_(std::move(target)), taken_(std::move(taken)), request_(request) {}

  // What the i-th piece in braces took.
  const std::string& taken(size_t i) const { return taken_[i]; }
  // The last one given of a parameter; nullopt: none.
  std::optional<std::string_view> text(std::string_view name) const;
  // A whole number from `least` to `most`. Errors: kInvalid.
  Result<std::optional<int64_t>> number(std::string_view name, int64_t least, int64_t most) const;
  // Milliseconds since 1970 of an RFC 3339 timestamp, or given as such a number.
  Result<std::optional<int64_t>> time_ms(std::string_view name) const;
  // Numbers with commas between them. Errors: kInvalid.
  Result<std::optional<std::vector<int64_t>>> numbers(std::string_view name) const;

  const std::string& body() const { return request_.body; }
  const std::stop_token& stop() const { return request_.stop; }

 private:
  Target target_;
  std::vector<std::string> taken_;
  const Request& request_;
};

}  // namespace millrace::http
