#include "source/request.h"

#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/text.h"
#include "source/since.h"
#include "source/url.h"

namespace millrace::source {

namespace {

using spec::PageBy;
using spec::ParameterIn;

struct Parameter {
  ParameterIn in;
  std::string name;
  std::string value;
};

// Whether what a response says leads to the next page is an address.
bool has_addresses(const spec::PageSpec& page) {
  return page.by == PageBy::kLink || (page.by == PageBy::kCursor && page.parameter.empty());
}

void add_page_parameters(const spec::PageSpec& page, const Cursor& cursor,
                         std::vector<Parameter>& parameters) {
  if (page.by == PageBy::kNumber)
    parameters.push_back({page.in, page.parameter_name(),
                          std::to_string(cursor.page + (cursor.look == Look::kAhead ? 1 : 0))});
  if (page.by == PageBy::kOffset)
    parameters.push_back({page.in, page.parameter_name(), std::to_string(cursor.offset)});
  if (page.by == PageBy::kCursor && !cursor.next.empty())
    parameters.push_back({page.in, page.parameter, cursor.next});
  if (!page.size_parameter.empty())
    parameters.push_back({page.in, page.size_parameter, std::to_string(page.size.value_or(0))});
}

std::vector<Parameter> parameters_of(const spec::HttpSpec& http, const Cursor& cursor) {
  std::vector<Parameter> parameters;
  if (http.page) add_page_parameters(*http.page, cursor, parameters);
  if (http.since) {
    auto from =
        cursor.since.empty() ? http.since->first : since_window(*http.since, cursor.since).text;
    if (!from.empty()) parameters.push_back({http.since->in, http.since->parameter, from});
  }
  return parameters;
}

// Sets the field at a dotted path, as a number where the value is a whole one.
Result<> set_field(nlohmann::ordered_json& body, std::string_view path, const std::string& value) {
  auto* at = &body;
  while (true) {
    if (!at->is_object())
      return fail(ErrorCode::kInvalid, "the body has no JSON object to put '{}' into", path);
    auto key = path.substr(0, path.find('.'));
    at = &(*at)[std::string(key)];
    if (key.size() == path.size()) break;
    path.remove_prefix(key.size() + 1);
    if (at->is_null()) *at = nlohmann::ordered_json::object();
  }
  auto number = nlohmann::ordered_json::parse(value, nullptr, false);
  *at = number.is_number_integer() ? number : nlohmann::ordered_json(value);
  return {};
}

Result<> set_parameters(std::span<const Parameter> parameters, Url& url, std::string& body) {
  nlohmann::ordered_json fields;
  bool in_body = false;
  for (const auto& parameter : parameters) {
    if (parameter.in == ParameterIn::kQuery) {
      MR_TRY(url.set_parameter(parameter.name, parameter.value));
      continue;
    }
    if (!in_body) fields = nlohmann::ordered_json::parse(body, nullptr, false);
    in_body = true;
    MR_TRY(set_field(fields, parameter.name, parameter.value));
  }
  if (in_body) body = fields.dump();
  return {};
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

// The address that next_address() made, with what it left out.
Result<Url> whole_address(const spec::HttpSpec& http, std::string_view address) {
  auto url = MR_TRY(Url::parse(address));
  MR_TRY(for_each_secret(http, [&](const std::string& name, const std::string& value) {
    return url.set_parameter(name, value);
  }));
  return url;
}

// The request without validators.
Result<Request> bare_request(const spec::HttpSpec& http, const Cursor& cursor) {
  Request request{.method = http.method, .body = http.body.value};
  bool is_address = http.page && has_addresses(*http.page) && !cursor.next.empty();
  auto url = MR_TRY(is_address ? whole_address(http, cursor.next) : Url::parse(http.url.value));
  if (!is_address) MR_TRY(set_parameters(parameters_of(http, cursor), url, request.body));
  request.url = url.text();
  return request;
}

}  // namespace

Result<Request> request_for(const spec::HttpSpec& http, const Cursor& cursor) {
  auto doing = "cannot fetch " + http.url.shown;
  auto request = MR_TRY_IN(bare_request(http, cursor), doing);
  request.looks_ahead = cursor.look == Look::kAhead;
  // Of a page that may not be full, a 304 would leave open whether there is one behind it.
  if (http.page && http.page->by == PageBy::kNumber && http.page->size) return request;
  auto without_secrets = http;
  without_secrets.url.value = http.url.shown;
  without_secrets.body.value = http.body.shown;
  // Of a body that is JSON only with its secrets, nothing is said.
  auto shown = bare_request(without_secrets, cursor);
  if (!shown) return request;
  request.fingerprint = fmt::format("{:016x}", SeenItems::hash(shown->url + "\n" + shown->body));
  if (request.fingerprint == cursor.asked) {
    request.etag = cursor.etag;
    request.last_modified = cursor.last_modified;
  }
  return request;
}

Result<std::string> next_address(const spec::HttpSpec& http, std::string_view response_url,
                                 std::string_view reference) {
  auto doing = fmt::format("the next page of {}", http.url.shown);
  if (reference.size() > limits::kNextPageBytesMax)
    return fail(ErrorCode::kLimit, "what leads to {} has {}; at most {} can be kept", doing,
                format_bytes(reference.size()), format_bytes(limits::kNextPageBytesMax));
  if (!http.page || !has_addresses(*http.page) || reference.empty()) return std::string(reference);
  auto base = MR_TRY_IN(Url::parse(response_url), doing);
  auto url = MR_TRY_IN(base.resolved(reference), doing);
  auto configured = MR_TRY_IN(Url::parse(http.url.value), doing);
  if (!url.same_origin(configured))
    return fail(ErrorCode::kInvalid,
                "{} is said to be at {}://{}, which is another server, and is not asked; if it is "
                "right, write that server in the source's url",
                doing, excerpt(url.part(CURLUPART_SCHEME)), excerpt(url.part(CURLUPART_HOST)));
  url.drop_credentials();
  MR_TRY_IN(
      for_each_secret(http, [&](const std::string& name,
                                const std::string&) { return url.set_parameter(name, "***"); }),
      doing);
  return url.text();
}

}  // namespace millrace::source
