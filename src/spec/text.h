// Text and SQL of a pipeline file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "spec/place.h"

namespace millrace::spec {

// ${secret:NAME}, and what stands in its place.
struct Secret {
  std::string name;
  std::string value;

  friend bool operator==(const Secret&, const Secret&) = default;
};

// A value after ${env:…} and ${secret:…} were replaced, and the same with "***" for secrets.
struct Text {
  std::string value;
  std::string shown;
  Place place;
  std::vector<Secret> secrets;  // one for each "***"

  bool operator==(const Text&) const = default;
};

// SQL after ${env:…} was replaced, and where each of its bytes stands in the file: YAML indents,
// folds and quotes, so what is one run of bytes here is many there.
struct Sql {
  // Bytes of `text` from `position` up to the next run, which stand side by side in the file; or,
  // where they came from a variable, which all stand where it is named.
  struct Run {
    size_t position = 0;
    int line = 0;
    int column = 0;
    bool replaced = false;
  };
  std::string text;
  Place place;            // of the value
  std::vector<Run> runs;  // by position; none only where text is empty

  // The place of the byte at `position` of text; past its end, that of the last byte.
  Place at(size_t position) const;

  friend bool operator==(const Sql& a, const Sql& b) { return a.text == b.text; }
};

}  // namespace millrace::spec
