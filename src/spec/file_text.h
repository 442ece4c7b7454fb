// The text of a pipeline file: from the byte offsets that the YAML parser gives to lines and
// columns, and from the bytes of a scalar's value back to where they stand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/spec.h"

namespace millrace::spec {

class FileText {
 public:
  // `name` is what places call the file; `text` is UTF-8 without a byte order mark.
  FileText(std::string name, std::string text);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }

  // Offsets past the end are the end's place.
  Place place(size_t offset) const;

  // For each byte of a scalar's value its offset in the text. `begin` is where the scalar, or the
  // anchor or tag before it, begins. Exact for whatever is no white space in every style (plain,
  // quoted, | and >); white space has the offset of some white space before the next byte.
  std::vector<size_t> offsets(size_t begin, std::string_view value) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<size_t> lines_;  // offsets at which they begin
};

}  // namespace millrace::spec
