// How a source asks its HTTP API.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "spec/page_spec.h"
#include "spec/text.h"

namespace millrace::spec {

enum class HttpMethod : uint8_t { kGet, kPost };

// auth: one of the two; neither is empty.
struct BasicAuth {
  Text user;
  Text password;

  bool operator==(const BasicAuth&) const = default;
};
struct AuthSpec {
  Text bearer;
  std::optional<BasicAuth> basic;

  bool operator==(const AuthSpec&) const = default;
};

// tls: names of PEM files, absolute or relative to the process's folder; empty: none.
struct TlsSpec {
  std::string ca;
  std::string certificate;
  std::string key;  // empty: in the certificate's file
  Text key_password;

  bool operator==(const TlsSpec&) const = default;
};

struct HttpSpec {
  Text url;  // http, https or sample
  HttpMethod method = HttpMethod::kGet;
  Text body;  // of a POST; a map or a list in the file is JSON here
  bool body_is_json = false;
  std::optional<AuthSpec> auth;
  TlsSpec tls;
  std::vector<std::pair<std::string, Text>> headers;
  std::chrono::milliseconds every{1'000};  // between the starts of two requests
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{10'000};         // for one request, all of it
  int64_t response_max = limits::kResponseBytesMax;  // bytes of one answer, decompressed
  std::optional<PageSpec> page;
  Place page_place;
  std::optional<SinceSpec> since;
  Place since_place;

  bool operator==(const HttpSpec&) const = default;
};

}  // namespace millrace::spec
