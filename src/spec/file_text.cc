#include "spec/file_text.h"

#include <algorithm>

namespace millrace::spec {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t skip_spaces(std::string_view text, size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

size_t skip_to_space(std::string_view text, size_t at) {
  while (at < text.size() && !is_space(text[at])) ++at;
  return at;
}

// Length of the escape in a double-quoted scalar that begins at `at`: \n is 2, \u263A is 6.
size_t escape_length(std::string_view text, size_t at) {
  switch (at + 1 < text.size() ? text[at + 1] : '\0') {
    case 'x':
      return 4;
    case 'u':
      return 6;
    case 'U':
      return 10;
    default:
      return 2;
  }
}

size_t character_length(std::string_view text, size_t at) {
  size_t length = 1;
  while (at + length < text.size() &&
         (static_cast<unsigned char>(text[at + length]) & 0xc0) == 0x80)
    ++length;
  return length;
}

// Goes through a scalar as written while its value goes by. White space is where styles differ
// (indentation, folding), so it is skipped; all else stands in the text in the value's order.
class Follower {
 public:
  Follower(std::string_view text, size_t begin) : text_(text), at_(begin) {
    while (at_ < text.size() && (text[at_] == '&' || text[at_] == '!'))
      at_ = skip_spaces(text, skip_to_space(text, at_));
    char first = at_ < text.size() ? text[at_] : '\0';
    if (first == '"' || first == '\'') {
      quote_ = first;
      ++at_;
    } else if (first == '|' || first == '>') {
      at_ = std::min(text.find('\n', at_), text.size());
    }
  }

  // The offset of the value's character of `length` bytes at `position`.
  size_t next(std::string_view value, size_t position, size_t length) {
    bool escaped_here = quote_ == '"' && at_ < text_.size() && text_[at_] == '\\';
    if (is_space(value[position]) && !escaped_here) {
      size_t here = at_;
      if (at_ < text_.size() && text_[at_] == value[position]) ++at_;
      return here;
    }
    at_ = skip_spaces(text_, at_);
    if (quote_ == '"')
      while (text_.substr(at_).starts_with("\\\n")) at_ = skip_spaces(text_, at_ + 1);
    if (at_ >= text_.size()) return text_.size();
    size_t here = at_;
    if (quote_ == '"' && text_[at_] == '\\')
      at_ += escape_length(text_, at_);
    else if (quote_ == '\'' && text_[at_] == '\'')
      at_ += 2;
    else if (text_.substr(at_).starts_with(value.substr(position, length)))
      at_ += length;
    return here;
  }

 private:
  std::string_view text_;
  size_t at_;
  char quote_ = '\0';
};

}  // namespace

FileText::FileText(std::string name, std::string text)
    : name_(std::move(name)), text_(std::move(text)), lines_{0} {
  for (size_t i = 0; i < text_.size(); ++i)
    if (text_[i] == '\n') lines_.push_back(i + 1);
}

Place FileText::place(size_t offset) const {
  offset = std::min(offset, text_.size());
  auto line = std::ranges::upper_bound(lines_, offset) - lines_.begin();
  int column = 1;
  for (size_t i = lines_[static_cast<size_t>(line - 1)]; i < offset;
       i += character_length(text_, i))
    ++column;
  return {name_, static_cast<int>(line), column};
}

std::vector<size_t> FileText::offsets(size_t begin, std::string_view value) const {
  Follower follower(text_, begin);
  std::vector<size_t> offsets;
  offsets.reserve(value.size());
  while (offsets.size() < value.size()) {
    size_t length = character_length(value, offsets.size());
    size_t offset = follower.next(value, offsets.size(), length);
    for (size_t i = 0; i < length; ++i) offsets.push_back(offset + i);
  }
  return offsets;
}

}  // namespace millrace::spec
