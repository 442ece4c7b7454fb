// How a source goes from page to page of its API, and from what is known to what is new.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::spec {

// How an API is asked for one page after another.
enum class PageBy : uint8_t {
  kNumber,  // a parameter counts pages
  kOffset,  // a parameter counts items
  kCursor,  // a value in each response leads to the next page
  kLink,    // the header 'Link: <…>; rel="next"' (RFC 8288) does
};

// Where parameters of a request stand.
enum class ParameterIn : uint8_t { kQuery, kBody };

struct PageSpec {
  PageBy by = PageBy::kNumber;
  // Dotted where it stands in the body. Empty: see parameter_name(); by cursor: what stands in the
  // response is the whole address of the next page.
  std::string parameter;
  ParameterIn in = ParameterIn::kQuery;
  int64_t first = 1;              // by number
  std::optional<int64_t> size;    // by number or offset: items of a full page
  std::string size_parameter;     // by which `size` is asked for; empty: it is not
  std::vector<std::string> from;  // by cursor: where in the response it stands

  // With its default: "page", "offset".
  std::string parameter_name() const;

  bool operator==(const PageSpec&) const = default;
};

// The form in which a `since` is sent.
enum class SinceFormat : uint8_t { kAsIs, kTimestamp, kDate, kUnix, kUnixMs };

// since: {column: updated_at, parameter: updated_since}: asks only for what is new.
struct SinceSpec {
  std::vector<std::string> column;  // path in an item, to a timestamp or number
  std::string parameter;
  ParameterIn in = ParameterIn::kQuery;
  SinceFormat format = SinceFormat::kAsIs;
  std::string first;  // what the first request asks from; empty: it does not
  std::chrono::milliseconds overlap{0};

  bool operator==(const SinceSpec&) const = default;
};

}  // namespace millrace::spec
