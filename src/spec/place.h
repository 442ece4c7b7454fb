// Where something stands in a file.
#pragma once

#include <string>

namespace millrace::spec {

// Line and column, which counts characters, from 1.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;

  // Two files say the same wherever it stands in them.
  friend bool operator==(const Place&, const Place&) { return true; }
};
std::string to_string(const Place& place);  // "users.yaml:12:7"

}  // namespace millrace::spec
