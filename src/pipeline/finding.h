// What an examination says of one thing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::pipeline {

enum class Verdict : uint8_t {
  kOk,
  kSkipped,  // could not be looked at; the text says why
  kWarning,  // harmless, or soon not
  kError,
};

// What someone can do about it.
struct Mend {
  std::string command;  // for a shell, "millrace …"; empty: `what` is to be done by hand
  std::string what;     // that it does, and what it costs
};

struct Finding {
  std::string part;  // of the examination: "machine", "log"
  std::string subject;
  Verdict verdict = Verdict::kOk;
  std::string text;
  std::vector<Mend> mends = {};
};

}  // namespace millrace::pipeline
