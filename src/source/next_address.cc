#include "source/next_address.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/text.h"

namespace millrace::source {

namespace {

using spec::PageBy;

// Around a secret's name, in its place. An address has no spaces, so none that an API gives has it.
constexpr std::string_view kPlaceBegin = "<secret ";
constexpr std::string_view kPlaceEnd = ">";

// What an API is told, and so may write into an address, as it stands there; the longest first, for
// one may be a part of another.
std::vector<spec::Secret> secrets_of(const spec::HttpSpec& http) {
  std::vector<spec::Secret> sent;
  auto add = [&](const spec::Text& text, bool is_address) {
    for (const auto& secret : text.secrets)
      if (!secret.value.empty())
        sent.push_back({secret.name, is_address ? secret.value : percent_encoded(secret.value)});
  };
  add(http.url, true);
  for (const auto& header : http.headers) add(header.second, false);
  add(http.body, false);
  if (http.auth) {
    add(http.auth->bearer, false);
    if (http.auth->basic) add(http.auth->basic->user, false);
    if (http.auth->basic) add(http.auth->basic->password, false);
  }
  std::ranges::stable_sort(sent, std::greater(),
                           [](const spec::Secret& one) { return one.value.size(); });
  return sent;
}

// The byte that `text` begins with, which may be percent-encoded, and how many bytes that takes.
std::pair<char, size_t> first_byte(std::string_view text) {
  unsigned byte = 0;
  if (text.size() < 3 || text[0] != '%') return {text[0], 1};
  auto [end, code] = std::from_chars(text.data() + 1, text.data() + 3, byte, 16);
  if (code != std::errc() || end != text.data() + 3) return {text[0], 1};
  return {static_cast<char>(byte), 3};
}

// How many bytes at the front of `text` are the secret, however either is encoded; 0: none.
size_t match(std::string_view secret, std::string_view text) {
  size_t all = text.size();
  while (!secret.empty()) {
    if (text.empty()) return 0;
    auto [wanted, wanted_size] = first_byte(secret);
    auto [found, found_size] = first_byte(text);
    bool is_plus = wanted == ' ' && found == '+';
    if (wanted != found && !is_plus) return 0;
    secret.remove_prefix(wanted_size);
    text.remove_prefix(found_size);
  }
  return all - text.size();
}

std::string without_secrets(const spec::HttpSpec& http, std::string_view address) {
  auto secrets = secrets_of(http);
  std::string kept;
  while (!address.empty()) {
    auto found = std::ranges::find_if(
        secrets, [&](const spec::Secret& secret) { return match(secret.value, address) > 0; });
    if (found == secrets.end()) {
      kept += address[0];
      address.remove_prefix(1);
      continue;
    }
    kept += fmt::format("{}{}{}", kPlaceBegin, found->name, kPlaceEnd);
    address.remove_prefix(match(found->value, address));
  }
  return kept;
}

Result<std::string> with_secrets(const spec::HttpSpec& http, std::string_view kept) {
  auto secrets = secrets_of(http);
  std::string address;
  while (true) {
    size_t begin = kept.find(kPlaceBegin);
    address += kept.substr(0, begin);
    if (begin == kept.npos) return address;
    kept.remove_prefix(begin + kPlaceBegin.size());
    auto name = kept.substr(0, kept.find(kPlaceEnd));
    auto found = std::ranges::find(secrets, name, &spec::Secret::name);
    if (found == secrets.end())
      return fail(ErrorCode::kInvalid, "its address has secret {} in it, which the source has not",
                  excerpt(name));
    address += found->value;
    kept.remove_prefix(std::min(name.size() + kPlaceEnd.size(), kept.size()));
  }
}

// Calls `act` with the name and value of each query parameter of the configured address that has a
// secret in it.
Result<> for_each_secret(const spec::HttpSpec& http, auto act) {
  auto value_url = MR_TRY(Url::parse(http.url.value));
  auto shown_url = MR_TRY(Url::parse(http.url.shown));
  auto value = value_url.query();
  auto shown = shown_url.query();
  for (size_t i = 0; i < std::min(value.size(), shown.size()); ++i)
    if (value[i] != shown[i]) MR_TRY(act(value[i].first, value[i].second));
  return {};
}

Result<> check_origin(const spec::HttpSpec& http, const Url& url) {
  auto configured = MR_TRY(Url::parse(http.url.value));
  if (url.same_origin(configured)) return {};
  return fail(ErrorCode::kInvalid,
              "it is said to be at {}://{}, which is another server, and is not asked; if it is "
              "right, write that server in the source's url",
              excerpt(url.part(CURLUPART_SCHEME)), excerpt(url.part(CURLUPART_HOST)));
}

}  // namespace

bool has_addresses(const spec::HttpSpec& http) {
  if (!http.page) return false;
  return http.page->by == PageBy::kLink ||
         (http.page->by == PageBy::kCursor && http.page->parameter.empty());
}

Result<std::string> next_address(const spec::HttpSpec& http, std::string_view response_url,
                                 std::string_view reference) {
  auto doing = fmt::format("the next page of {}", http.url.shown);
  if (reference.size() > limits::kNextPageBytesMax)
    return fail(ErrorCode::kLimit, "what leads to {} has {}; at most {} can be kept", doing,
                format_bytes(reference.size()), format_bytes(limits::kNextPageBytesMax));
  if (!has_addresses(http) || reference.empty()) return std::string(reference);
  auto base = MR_TRY_IN(Url::parse(response_url), doing);
  auto url = MR_TRY_IN(base.resolved(reference), doing);
  MR_TRY_IN(check_origin(http, url), doing);
  url.drop_credentials();
  MR_TRY_IN(
      for_each_secret(http, [&](const std::string& name,
                                const std::string&) { return url.set_parameter(name, "***"); }),
      doing);
  return without_secrets(http, url.text());
}

Result<Url> whole_address(const spec::HttpSpec& http, std::string_view kept) {
  auto address = MR_TRY(with_secrets(http, kept));
  auto url = MR_TRY(Url::parse(address));
  MR_TRY(check_origin(http, url));
  MR_TRY(for_each_secret(http, [&](const std::string& name, const std::string& value) {
    return url.set_parameter(name, value);
  }));
  return url;
}

std::optional<Error> forget_lost_address(const spec::HttpSpec& http, Cursor& cursor) {
  if (!has_addresses(http) || cursor.next.empty()) return std::nullopt;
  auto address = whole_address(http, cursor.next);
  if (address) return std::nullopt;
  cursor.next.clear();
  // With `since` they are of the window, else of the page that is not asked again.
  if (!http.since) cursor.seen.clear();
  return address.error();
}

}  // namespace millrace::source
