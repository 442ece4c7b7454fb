#include "spec/variables.h"

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "io/folder.h"

namespace millrace::spec {
namespace {

constexpr int kNestedDefaultsMax = 8;
constexpr size_t kSecretBytesMax = size_t{1} << 20;

bool is_name(std::string_view name) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name[0]) && std::ranges::all_of(name, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

// Offset of the brace that closes the one before `at`, or npos.
size_t matching_brace(std::string_view text, size_t at) {
  int open = 1;
  for (; at < text.size(); ++at) {
    if (text[at] == '{') ++open;
    if (text[at] == '}' && --open == 0) return at;
  }
  return std::string_view::npos;
}

class Expander {
 public:
  explicit Expander(const Variables& variables) : variables_(variables) {}

  // `from` is the offset of `text` in the whole value.
  Result<> expand(std::string_view text, size_t from, int depth);
  Expanded take() { return std::move(out_); }

 private:
  Result<> variable(std::string_view body, size_t from, int depth);
  void copy(std::string_view text, size_t from);
  void replace(std::string_view value, std::string_view shown, size_t from);

  const Variables& variables_;
  Expanded out_;
};

Result<> Expander::expand(std::string_view text, size_t from, int depth) {
  if (depth > kNestedDefaultsMax)
    return fail(ErrorCode::kInvalid, "more than {} defaults inside each other", kNestedDefaultsMax);
  size_t at = 0;
  while (at < text.size()) {
    size_t dollar = std::min(text.find('$', at), text.size());
    copy(text.substr(at, dollar - at), from + at);
    at = dollar;
    auto rest = text.substr(at);
    if (rest.starts_with("$${")) {
      copy("${", from + at + 1);
      at += 3;
    } else if (rest.starts_with("${")) {
      size_t end = matching_brace(text, at + 2);
      if (end == text.npos)
        return fail(ErrorCode::kInvalid, "'{}' has no closing '}}'; write $${{ for a plain ${{",
                    excerpt(rest, 40));
      // The variable's place is its dollar sign, the default's bytes have their own.
      MR_TRY(variable(text.substr(at + 2, end - at - 2), from + at + 2, depth));
      at = end + 1;
    } else if (!rest.empty()) {
      copy("$", from + at);
      ++at;
    }
  }
  return {};
}

// `body` is what stands between the braces: "env:NAME:-default".
Result<> Expander::variable(std::string_view body, size_t from, int depth) {
  size_t colon = std::min(body.find(':'), body.size());
  auto kind = body.substr(0, colon);
  auto rest = body.substr(std::min(colon + 1, body.size()));
  size_t dash = rest.find(":-");
  auto name = rest.substr(0, dash);
  if ((kind != "env" && kind != "secret") || !is_name(name))
    return fail(ErrorCode::kInvalid,
                "'${{{}}}' is no variable: write ${{env:NAME}}, ${{env:NAME:-default}} or "
                "${{secret:NAME}}, or $${{ for a plain ${{",
                excerpt(body, 40));
  if (kind == "secret") {
    if (dash != rest.npos)
      return fail(ErrorCode::kInvalid, "secret {} has a default, which would be no secret", name);
    auto secret = variables_.secret(name);
    if (!secret && secret.error().code() != ErrorCode::kNotFound)
      return fail(ErrorCode::kInvalid, "secret {} cannot be read: {}", name,
                  secret.error().message());
    if (!secret)
      return fail(
          ErrorCode::kInvalid,
          "secret {0} is not set: put it in the file /run/secrets/{0} (or {0} in the folder "
          "that MILLRACE_SECRETS names), or in the environment variable {0}",
          name);
    out_.secrets.push_back({std::string(name), *secret});
    replace(*secret, "***", from - 2);
    return {};
  }
  auto value = variables_.env(name);
  if (dash != rest.npos && (!value || value->empty())) {
    size_t begin = colon + 1 + dash + 2;
    return expand(body.substr(begin), from + begin, depth + 1);
  }
  if (!value)
    return fail(ErrorCode::kInvalid,
                "environment variable {0} is not set: set it, or give a default: ${{env:{0}:-…}}",
                name);
  replace(*value, *value, from - 2);
  return {};
}

void Expander::copy(std::string_view text, size_t from) {
  if (text.empty()) return;
  out_.parts.push_back({out_.value.size(), from, false});
  out_.value += text;
  out_.shown += text;
}

void Expander::replace(std::string_view value, std::string_view shown, size_t from) {
  out_.shown += shown;
  if (value.empty()) return;
  out_.parts.push_back({out_.value.size(), from, true});
  out_.value += value;
}

std::optional<std::string> from_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// A file that is there and cannot be read is an error: the environment may have another value.
Result<std::string> from_secrets(std::string_view name) {
  auto folder = from_environment("MILLRACE_SECRETS").value_or("/run/secrets");
  auto secret = io::read_file(folder + "/" + std::string(name), kSecretBytesMax);
  if (!secret && secret.error().code() == ErrorCode::kNotFound) {
    if (auto value = from_environment(name)) return *std::move(value);
  }
  if (!secret) return secret;
  // Editors and `echo` end a file with a line break that is no part of the secret.
  while (secret->ends_with('\n') || secret->ends_with('\r')) secret->pop_back();
  return secret;
}

}  // namespace

Result<Expanded> expand(std::string_view text, const Variables& variables) {
  Expander expander(variables);
  MR_TRY(expander.expand(text, 0, 0));
  return expander.take();
}

Variables process_variables() {
  return {.env = from_environment, .secret = from_secrets};
}

}  // namespace millrace::spec
