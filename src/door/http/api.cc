#include "door/http/api.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "door/http/call.h"
#include "door/http/target.h"

namespace millrace::http {
namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kLimit:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kUnsupported:
      return 501;
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo:
      break;
  }
  return 500;
}

// What the braces of `pattern` took from the path; nullopt where it is not a path of that pattern.
std::optional<std::vector<std::string>> match(std::string_view pattern,
                                              const std::vector<std::string>& path) {
  std::vector<std::string> taken;
  size_t at = 0;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // the slash
    auto piece = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(piece.size());
    if (at == path.size()) return std::nullopt;
    if (piece.ends_with("...}")) {
      auto& rest = taken.emplace_back(path[at]);
      while (++at < path.size()) rest += '/' + path[at];
    } else if (piece.starts_with('{')) {
      taken.push_back(path[at++]);
    } else if (piece != path[at++]) {
      return std::nullopt;
    }
  }
  if (at != path.size()) return std::nullopt;
  return taken;
}

struct Found {
  const Route* route = nullptr;
  std::vector<std::string> taken;
  std::string allow;  // methods that the path has
};

Found find(std::string_view method, const std::vector<std::string>& path) {
  Found found;
  for (const auto& route : routes()) {
    auto taken = match(route.pattern, path);
    if (!taken) continue;
    found.allow += fmt::format("{}{}", found.allow.empty() ? "" : ", ", route.method);
    if (route.method == method) {
      found.route = &route;
      found.taken = *std::move(taken);
      break;
    }
  }
  return found;
}

Error no_such_route(std::string_view path) {
  std::vector<std::string> patterns;
  for (const auto& route : routes()) patterns.emplace_back(route.pattern);
  auto meant = did_you_mean(path, patterns);
  auto advice = meant.empty() ? fmt::format("the paths are {}", fmt::join(patterns, ", "))
                              : fmt::format("did you mean {}?", meant);
  return {ErrorCode::kNotFound, fmt::format("there is nothing at {}; {}", excerpt(path), advice)};
}

Result<void> check_parameters(const Route& route, const Target& target) {
  for (const auto& [name, value] : target.parameters) {
    if (std::ranges::find(route.parameters, name, &Parameter::name) != route.parameters.end())
      continue;
    std::vector<std::string> known;
    for (const auto& parameter : route.parameters) known.emplace_back(parameter.name);
    auto meant = did_you_mean(name, known);
    return fail(ErrorCode::kInvalid, "{} has no parameter '{}'{}", route.pattern, excerpt(name),
                meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
  }
  return {};
}

// Libraries throw when memory runs out.
Result<std::string> run_guarded(const Route& route, const Api& api, const Call& call) {
  try {
    return route.handler(api, call);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kUnavailable, "cannot answer: {}", error.what());
  }
}

}  // namespace

Response error_response(int status, const Error& error) {
  nlohmann::ordered_json json;
  json["error"] = {{"code", to_string(error.code())}, {"message", error.message()}};
  return {status, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), ""};
}

Response Api::handle(const Request& request) const {
  auto target = Target::parse(request.target);
  if (!target) return error_response(400, target.error());
  auto found = find(request.method, target->path);
  if (found.route == nullptr && found.allow.empty()) {
    return error_response(404, no_such_route(request.target.substr(0, request.target.find('?'))));
  }
  if (found.route == nullptr) {
    auto response = error_response(
        405, {ErrorCode::kInvalid,
              fmt::format("this path has no {}, only {}", excerpt(request.method), found.allow)});
    response.allow = found.allow;
    return response;
  }
  auto checked = check_parameters(*found.route, *target);
  if (!checked) return error_response(400, checked.error());
  Call call(*std::move(target), std::move(found.taken), request);
  auto body = run_guarded(*found.route, *this, call);
  if (!body) return error_response(status_of(body.error().code()), body.error());
  return {200, *std::move(body), ""};
}

const Route* Api::route_of(std::string_view method, std::string_view target) {
  auto parsed = Target::parse(target);
  return parsed ? find(method, parsed->path).route : nullptr;
}

}  // namespace millrace::http
