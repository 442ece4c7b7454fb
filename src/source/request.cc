#include "source/request.h"

#include <nlohmann/json.hpp>

#include "source/next_address.h"
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

// Sets the field at a dotted path: as a number where the value is a whole one, unless the body has
// text there.
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
  bool is_number = number.is_number_integer() && !at->is_string();
  *at = is_number ? number : nlohmann::ordered_json(value);
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

}  // namespace

Result<Request> request_for(const spec::HttpSpec& http, const Cursor& cursor) {
  auto doing = "cannot fetch " + http.url.shown;
  bool is_address = has_addresses(http) && !cursor.next.empty();
  auto parameters = is_address ? std::vector<Parameter>() : parameters_of(http, cursor);
  auto url =
      MR_TRY_IN(is_address ? whole_address(http, cursor.next) : Url::parse(http.url.value), doing);
  Request request{.method = http.method, .body = http.body.value};
  MR_TRY_IN(set_parameters(parameters, url, request.body), doing);
  request.url = url.text();
  request.looks_ahead = cursor.look == Look::kAhead;
  // Of a page that may not be full, a 304 would leave open whether there is one behind it.
  if (http.page && http.page->by == PageBy::kNumber && http.page->size) return request;
  // Of a body that is JSON only with its secrets, nothing is said.
  auto shown = Url::parse(is_address ? cursor.next : http.url.shown);
  auto shown_body = http.body.shown;
  if (!shown || !set_parameters(parameters, *shown, shown_body)) return request;
  request.fingerprint = fmt::format("{:016x}", SeenItems::hash(shown->text() + "\n" + shown_body));
  if (request.fingerprint == cursor.asked) {
    request.etag = cursor.etag;
    request.last_modified = cursor.last_modified;
  }
  return request;
}

}  // namespace millrace::source
