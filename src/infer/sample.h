// What is looked at: answers of an API, or files with such answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "infer/header.h"
#include "spec/spec.h"

namespace millrace::infer {

struct Sample {
  using Format = spec::Format;
  std::string from;  // the address or file
  std::string body;  // sql::kJsonPadding bytes follow the `size` that count
  size_t size = 0;
  Format format = Format::kJson;
  bool format_is_told = false;     // by the answer's Content-Type, so that a source knows it too
  std::vector<std::string> links;  // values of Link headers

  std::string_view text() const { return std::string_view(body).substr(0, size); }
};

// http, https and sample addresses; anything else is a file, ".gz" unpacked.
bool is_address(std::string_view from);
// An address is asked with these headers. Errors: those of source::Fetcher and of reading files, in
// words.
Result<Sample> take_sample(const std::string& from, const std::vector<Header>& headers = {});

}  // namespace millrace::infer
