// Link headers (RFC 8288).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace millrace::source {

// The target of the first link with relation type "next" among the values of Link headers, as
// written, perhaps relative; "" where there is none. What is no link is passed over.
std::string_view next_link(std::span<const std::string> values);

}  // namespace millrace::source
