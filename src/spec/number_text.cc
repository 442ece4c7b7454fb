#include "spec/number_text.h"

#include <algorithm>

namespace millrace::spec {
namespace {

constexpr std::string_view kDigits = "0123456789";

// Takes from the front of a text what is there.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool take(std::string_view words) {
    if (!rest_.starts_with(words)) return false;
    rest_.remove_prefix(words.size());
    return true;
  }
  // One of these, or as many of these as there are.
  bool take_one_of(std::string_view chars) {
    if (rest_.empty() || !chars.contains(rest_.front())) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take_all_of(std::string_view chars) {
    size_t count = std::min(rest_.find_first_not_of(chars), rest_.size());
    rest_.remove_prefix(count);
    return count > 0;
  }
  // An exponent, or nothing.
  bool take_exponent() {
    if (!take_one_of("eE")) return true;
    take_one_of("+-");
    return take_all_of(kDigits);
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

bool is_all_of(std::string_view text, std::string_view chars) {
  return !text.empty() && text.find_first_not_of(chars) == text.npos;
}

}  // namespace

bool is_json_number(std::string_view text) {
  Scanner scanner(text);
  scanner.take("-");
  if (!scanner.take("0") && !scanner.take_all_of(kDigits)) return false;
  if (scanner.take(".") && !scanner.take_all_of(kDigits)) return false;
  return scanner.take_exponent() && scanner.at_end();
}

bool is_yaml_number(std::string_view text) {
  if (text.starts_with("0o")) return is_all_of(text.substr(2), "01234567");
  if (text.starts_with("0x")) return is_all_of(text.substr(2), "0123456789abcdefABCDEF");
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  Scanner scanner(text);
  scanner.take_one_of("+-");
  if (scanner.take(".inf") || scanner.take(".Inf") || scanner.take(".INF")) return scanner.at_end();
  bool has_whole = scanner.take_all_of(kDigits);
  bool has_fraction = scanner.take(".") && scanner.take_all_of(kDigits);
  return (has_whole || has_fraction) && scanner.take_exponent() && scanner.at_end();
}

bool is_whole_number(std::string_view text) {
  Scanner scanner(text);
  scanner.take_one_of("+-");
  return scanner.take_all_of(kDigits) && scanner.at_end();
}

}  // namespace millrace::spec
