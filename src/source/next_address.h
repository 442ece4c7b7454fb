// The address of the next page, as an API says it and as the cursor keeps it: without secrets.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "source/cursor.h"
#include "source/url.h"
#include "spec/spec.h"

namespace millrace::source {

// Whether what a response says leads to the next page is an address.
bool has_addresses(const spec::HttpSpec& http);

// What a response says leads to the next page, as Cursor::next keeps it. An address is made whole,
// as seen from the response's; secrets of the source are left out of it.
// Error: kInvalid where it cannot be read, or leads to another scheme, host or port.
Result<std::string> next_address(const spec::HttpSpec& http, std::string_view response_url,
                                 std::string_view reference);

// The address that next_address() kept, with what it left out.
// Error: kInvalid where it is none of the configured scheme, host and port, or has a secret that
// the source no longer has.
Result<Url> whole_address(const spec::HttpSpec& http, std::string_view kept);

// Forgets a `next` that whole_address() refuses, because the pipeline file has changed since it was
// kept; returns why. nullopt: there is none.
std::optional<Error> forget_lost_address(const spec::HttpSpec& http, Cursor& cursor);

}  // namespace millrace::source
