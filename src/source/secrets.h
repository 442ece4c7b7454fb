// Keeping the values of ${secret:…} out of texts that people will read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.h"

namespace millrace::source {

// The secrets of some texts, recovered from where `value` and `shown` differ.
class Secrets {
 public:
  void learn(const spec::Text& text);

  // The text with each secret in it, as it is or percent-encoded, in any case, replaced by "***":
  // a server may answer with what it was asked.
  std::string redact(std::string_view text) const;

 private:
  std::vector<std::string> secrets_;  // longest first
};

}  // namespace millrace::source
