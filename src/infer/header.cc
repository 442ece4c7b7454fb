#include "infer/header.h"

#include <algorithm>
#include <regex>

#include "spec/variables.h"

namespace millrace::infer {
namespace {

// What the names of headers with secrets have in them.
constexpr std::string_view kSecretWords[] = {"auth",   "cookie",  "credential", "key",  "pass",
                                             "secret", "session", "signature",  "token"};

bool may_be_secret(std::string name) {
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c | 0x20) : c; });
  return std::ranges::any_of(kSecretWords, [&](auto word) { return name.contains(word); });
}

bool is_header_name(std::string_view name) {
  static const std::regex kForm("[A-Za-z][A-Za-z0-9_-]{0,99}");
  return name.size() <= 100 && std::regex_match(name.begin(), name.end(), kForm);
}

}  // namespace

Result<Header> parse_header(std::string_view text, const spec::Variables& variables) {
  size_t colon = std::min(text.find(':'), text.size());
  Header header{.name = std::string(text.substr(0, colon)), .written = {}, .value = {}};
  if (colon == text.size() || !is_header_name(header.name))
    return fail(ErrorCode::kInvalid,
                "a header is written 'Name: value', its name in letters, digits and -");
  auto value = text.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  header.written = value;
  auto expanded = MR_TRY_IN(spec::expand(value, variables), header.name);
  header.value = {.value = expanded.value,
                  .shown = expanded.shown,
                  .place = {},
                  .secrets = std::move(expanded.secrets)};
  if (!may_be_secret(header.name)) return header;
  if (std::ranges::none_of(expanded.parts, &spec::Expanded::Part::replaced))
    return fail(ErrorCode::kInvalid,
                "{}: this may be a secret, and is not put into a file: set an environment variable "
                "to it, and write its name as ${{secret:NAME}}, in single quotes",
                header.name);
  // What an environment variable says there is as secret; "Bearer" before it is not.
  const auto& whole = header.value.value;
  header.value.secrets.push_back({header.name, whole.substr(whole.rfind(' ') + 1)});
  return header;
}

}  // namespace millrace::infer
