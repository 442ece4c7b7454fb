// Keeping the values of ${secret:…} out of texts that people will read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millrace::source {

class Secrets {
 public:
  // An empty secret is none.
  void learn(std::string secret);

  // The text with each secret in it replaced by "***": as it is, in any case, with any of its
  // characters percent-encoded or behind a backslash, and as far as it stands before an excerpt's
  // "…". A server may answer with what it was asked.
  std::string redact(std::string_view text) const;

 private:
  std::vector<std::string> secrets_;  // longest first
};

}  // namespace millrace::source
