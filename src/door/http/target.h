// The target of a request: "/v1/topics/users/records?limit=10".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace millrace::http {

// A target taken apart, percent-encoding (RFC 3986 section 2.1) undone. A path that ends in '/' is
// the same as without it.
struct Target {
  std::vector<std::string> path;
  std::vector<std::pair<std::string, std::string>> parameters;

  // Errors: kInvalid.
  static Result<Target> parse(std::string_view text);
};

// Any bytes as one piece of a path, or the name or value of a parameter.
std::string percent_encode(std::string_view bytes);

// Puts a target together.
class TargetBuilder {
 public:
  explicit TargetBuilder(std::string_view path) : text_(path) {}
  // Adds "/PIECE"; slashes in it are encoded.
  TargetBuilder& piece(std::string_view piece);
  TargetBuilder& parameter(std::string_view name, std::string_view value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool has_parameters_ = false;
};

}  // namespace millrace::http
