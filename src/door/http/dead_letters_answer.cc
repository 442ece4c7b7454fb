#include "door/http/dead_letters_answer.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "door/http/to_json.h"
#include "pipeline/redrive.h"

namespace millrace::http {
namespace {

using Json = nlohmann::ordered_json;

std::unexpected<Error> bad_body(std::string_view what) {
  return fail(ErrorCode::kInvalid, "the body's {}", what);
}

Result<std::string> text_member(const Json& json, const char* name) {
  if (!json.contains(name)) return std::string();
  if (!json[name].is_string()) return bad_body(fmt::format("'{}' is to be a string", name));
  return json[name].get<std::string>();
}

Result<std::optional<pipeline::DeadLetterPosition>> position_of(const Json& json) {
  if (!json.contains("from") || json["from"].is_null()) return std::nullopt;
  const auto& from = json["from"];
  auto is_count = [](const Json& number) {
    return number.is_number_unsigned() && number.get<uint64_t>() <= uint64_t{INT64_MAX};
  };
  bool right = from.is_object() && from.contains("partition") && is_count(from["partition"]) &&
               from["partition"].get<uint64_t>() <= uint64_t{INT32_MAX} &&
               from.contains("offset") && is_count(from["offset"]) && from.contains("end") &&
               from["end"].is_array();
  for (size_t i = 0; right && i < from["end"].size(); ++i) right = is_count(from["end"][i]);
  if (!right) return bad_body("'from' is to be the 'next' of an answer");
  return pipeline::DeadLetterPosition{.partition = from["partition"].get<int32_t>(),
                                      .offset = from["offset"].get<int64_t>(),
                                      .end = from["end"].get<std::vector<int64_t>>()};
}

Json to_json(const std::optional<pipeline::DeadLetterPosition>& position) {
  if (!position) return nullptr;
  return {{"partition", position->partition}, {"offset", position->offset}, {"end", position->end}};
}

std::string to_text(const pipeline::Redriven& done,
                    const std::optional<pipeline::DeadLetterPosition>& next) {
  auto failing = Json::array();
  for (const auto& one : done.failing)
    failing.push_back({{"address", one.address}, {"error", one.error}});
  return dump({{"written", done.written},
               {"filtered", done.filtered},
               {"not_open", done.not_open},
               {"failing", std::move(failing)},
               {"next", to_json(next)}});
}

Result<std::string> redrive_addresses(pipeline::Instance& instance, const Json& json) {
  std::vector<std::string> addresses;
  bool right = json["addresses"].is_array();
  for (size_t i = 0; right && i < json["addresses"].size(); ++i) {
    right = json["addresses"][i].is_string();
    if (right) addresses.push_back(json["addresses"][i].get<std::string>());
  }
  if (!right) return bad_body("'addresses' are to be strings");
  std::optional<std::string> value;
  if (json.contains("value")) value = MR_TRY(text_member(json, "value"));
  auto done = MR_TRY(pipeline::redrive(instance, addresses, value));
  return to_text(done, std::nullopt);
}

}  // namespace

Result<std::string> answer_dead_letters(pipeline::Instance& instance,
                                        const pipeline::DeadLetterFilter& filter, bool closed_too,
                                        size_t limit) {
  auto list = MR_TRY(pipeline::list_dead_letters(instance, filter, closed_too, limit));
  auto groups = Json::array();
  for (const auto& group : list.groups)
    groups.push_back({{"node", group.node},
                      {"stage", group.stage},
                      {"rule", group.rule},
                      {"open", group.open},
                      {"closed", group.closed}});
  auto letters =
      json_array(list.newest, [](const pipeline::DeadLetter& each) { return to_json(each); });
  return fmt::format(R"({{"dead_letters":{},"groups":{}}})", letters, dump(groups));
}

Result<std::string> answer_redrive(pipeline::Instance& instance, std::string_view body) {
  auto json = Json::parse(body, nullptr, false);
  if (!json.is_object() || json.contains("addresses") == json.contains("node"))
    return fail(ErrorCode::kInvalid,
                R"(the body is to be {{"addresses": […]}} or {{"node": "…"}})");
  if (json.contains("addresses")) return redrive_addresses(instance, json);
  pipeline::DeadLetterFilter filter;
  filter.node = MR_TRY(text_member(json, "node"));
  filter.rule = MR_TRY(text_member(json, "rule"));
  filter.stage = MR_TRY(text_member(json, "stage"));
  auto from = MR_TRY(position_of(json));
  auto step = MR_TRY(pipeline::redrive(instance, filter, from));
  return to_text(step.done, step.next);
}

}  // namespace millrace::http
