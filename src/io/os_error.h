// How this room turns errno into an Error.
#pragma once

#include <string_view>

#include "base/error.h"

namespace millrace::io {

// "cannot DOING PATH: No space left on device; free some and start again".
// kNotFound for ENOENT, otherwise kIo.
std::unexpected<Error> os_error(std::string_view doing, std::string_view path, int error_number);

}  // namespace millrace::io
