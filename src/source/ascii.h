// Names in letters that e-mail addresses have.
#pragma once

#include <string>
#include <string_view>

namespace millrace::source {

// Appends `name` in lower-case ASCII letters: Latin letters without their marks, Cyrillic (Serbian,
// Ukrainian) and Persian letter by letter; anything else is left out. "Đorđe O'Brien" gives
// "dordeobrien".
void append_ascii(std::string& to, std::string_view name);

}  // namespace millrace::source
