#include "source/url.h"

#include <algorithm>
#include <ranges>

#include "base/check.h"

namespace millrace::source {

namespace {

struct CurlFree {
  void operator()(char* text) const { curl_free(text); }
};
using CurlText = std::unique_ptr<char, CurlFree>;

std::string unescape(std::string_view text) {
  std::string plus_is_space(text);
  std::ranges::replace(plus_is_space, '+', ' ');
  int size = 0;
  CurlText decoded(curl_easy_unescape(nullptr, plus_is_space.c_str(),
                                      static_cast<int>(plus_is_space.size()), &size));
  return decoded ? std::string(decoded.get(), static_cast<size_t>(size)) : std::string();
}

// "a=1&b" -> {"a=1", "b"}.
std::vector<std::string_view> split_query(std::string_view query) {
  std::vector<std::string_view> pieces;
  while (!query.empty()) {
    auto end = std::min(query.find('&'), query.size());
    if (end > 0) pieces.push_back(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return pieces;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  // libcurl takes a length of 0 as 'measure it'.
  if (text.empty()) return "";
  CurlText encoded(curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())));
  return encoded ? encoded.get() : std::string();
}

Result<Url> Url::parse(std::string_view text) {
  Url url(curl_url());
  MR_CHECK(url.url_ != nullptr);
  auto code = curl_url_set(url.url_.get(), CURLUPART_URL, std::string(text).c_str(),
                           CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE);
  if (code != CURLUE_OK) {
    return fail(ErrorCode::kInvalid, "the URL cannot be read: {}", curl_url_strerror(code));
  }
  return url;
}

std::string Url::part(CURLUPart part) const {
  char* text = nullptr;
  if (curl_url_get(url_.get(), part, &text, 0) != CURLUE_OK) return "";
  return CurlText(text).get();
}

std::vector<std::pair<std::string, std::string>> Url::query() const {
  std::vector<std::pair<std::string, std::string>> parameters;
  auto query = part(CURLUPART_QUERY);
  for (auto piece : split_query(query)) {
    auto equals = std::min(piece.find('='), piece.size());
    parameters.emplace_back(unescape(piece.substr(0, equals)),
                            unescape(piece.substr(std::min(equals + 1, piece.size()))));
  }
  return parameters;
}

Result<> Url::set_parameter(std::string_view name, std::string_view value) {
  auto old_query = part(CURLUPART_QUERY);
  auto wanted = percent_encoded(name) + "=" + percent_encoded(value);
  std::string query;
  bool placed = false;
  auto add = [&](std::string_view piece) {
    if (!query.empty()) query += '&';
    query += piece;
  };
  for (auto piece : split_query(old_query)) {
    if (unescape(piece.substr(0, piece.find('='))) != name) {
      add(piece);
    } else if (!placed) {
      add(wanted);
      placed = true;
    }
  }
  if (!placed) add(wanted);
  auto code = curl_url_set(url_.get(), CURLUPART_QUERY, query.c_str(), 0);
  if (code != CURLUE_OK) {
    return fail(ErrorCode::kInvalid, "the parameter '{}' cannot be set: {}", name,
                curl_url_strerror(code));
  }
  return {};
}

Result<Url> Url::resolved(std::string_view reference) const {
  Url url(curl_url_dup(url_.get()));
  MR_CHECK(url.url_ != nullptr);
  auto code = curl_url_set(url.url_.get(), CURLUPART_URL, std::string(reference).c_str(),
                           CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE);
  if (code != CURLUE_OK)
    return fail(ErrorCode::kInvalid, "its address cannot be read: {}", curl_url_strerror(code));
  curl_url_set(url.url_.get(), CURLUPART_FRAGMENT, nullptr, 0);
  return url;
}

void Url::drop_credentials() {
  curl_url_set(url_.get(), CURLUPART_USER, nullptr, 0);
  curl_url_set(url_.get(), CURLUPART_PASSWORD, nullptr, 0);
}

bool Url::same_origin(const Url& other) const {
  auto port = [](const Url& url) {
    char* text = nullptr;
    if (curl_url_get(url.url_.get(), CURLUPART_PORT, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) {
      return std::string();
    }
    return std::string(CurlText(text).get());
  };
  auto lower = [](std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 32) : c; });
    return text;
  };
  return part(CURLUPART_SCHEME) == other.part(CURLUPART_SCHEME) &&
         lower(part(CURLUPART_HOST)) == lower(other.part(CURLUPART_HOST)) &&
         port(*this) == port(other);
}

}  // namespace millrace::source
