#include "infer/observation.h"

#include <simdjson.h>

#include <algorithm>
#include <functional>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "base/uuid.h"
#include "sql/json_scalar.h"
#include "sql/json_split.h"

namespace millrace::infer {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kTextFormMax = 200;  // longer strings have no form

std::unexpected<Error> bad_json(std::string_view problem) {
  return fail(ErrorCode::kInvalid, "bad JSON: {}", problem);
}
std::unexpected<Error> bad_json(simdjson::error_code code) {
  return bad_json(simdjson::error_message(code));
}

bool is_email(std::string_view text) {
  size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && text.find('@', at + 1) == text.npos &&
         text.find('.', at) != text.npos && text.back() != '.' &&
         text.find_first_of(" \t\r\n<>,;") == text.npos;
}

uint8_t forms_of(std::string_view text) {
  if (text.empty() || text.size() > kTextFormMax) return 0;
  unsigned forms = 0;
  if (parse_uuid(text)) forms |= kUuidForm;
  if (parse_date(text)) forms |= kDateForm;
  if (parse_time_of_day(text)) forms |= kTimeForm;
  if (parse_timestamp(text)) forms |= kTimestampForm;
  if (is_email(text)) forms |= kEmailForm;
  if (text.starts_with("https://") || text.starts_with("http://")) forms |= kUriForm;
  return static_cast<uint8_t>(forms);
}

std::string_view trimmed(std::string_view token) {
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

class Observer {
 public:
  // `to`: null to check only.
  Result<void> item(std::string_view json, Observation* to) {
    ondemand::document document;
    simdjson::padded_string_view padded(json.data(), json.size(), json.size() + sql::kJsonPadding);
    if (auto code = parser().iterate(padded).get(document)) return bad_json(code);
    ondemand::object object;
    if (auto code = document.get_object().get(object)) {
      if (code != simdjson::INCORRECT_TYPE) return bad_json(code);
      return fail(ErrorCode::kInvalid, "expected an object, got {}", excerpt(json, 60));
    }
    MR_TRY(fields(object, to, 1));
    const char* after = nullptr;
    if (document.current_location().get(after) == simdjson::SUCCESS)
      return bad_json("more text after the object");
    return {};
  }

 private:
  static ondemand::parser& parser() {
    static thread_local ondemand::parser parser;
    return parser;
  }

  Result<void> fields(ondemand::object& object, Observation* to, size_t depth);
  Result<void> elements(ondemand::array& array, Observation* to, size_t depth);
  Result<void> value(ondemand::value value, Observation* to, size_t depth);
  Result<void> scalar(ondemand::value& value, std::string_view token, Observation* to);
  static void number(std::string_view token, Observation& to);
};

Observation::Member& member_of(Observation& of, std::string_view name) {
  auto [at, fresh] = of.member_at.emplace(name, of.members.size());
  if (fresh)
    of.members.push_back({.name = std::string(name),
                          .in_objects = 0,
                          .last_object = 0,
                          .observation = std::make_unique<Observation>()});
  return of.members[at->second];
}

void remember(std::string_view text, Observation& to) {
  if (!to.values.insert(std::hash<std::string_view>()(text)).second) to.repeated = true;
}

Result<void> Observer::fields(ondemand::object& object, Observation* to, size_t depth) {
  if (depth > limits::kJsonDepthMax) return bad_json("too many levels");
  if (to != nullptr) ++to->objects;
  for (auto result : object) {
    ondemand::field field;
    std::string_view name;
    if (auto code = std::move(result).get(field)) return bad_json(code);
    if (auto code = field.unescaped_key().get(name)) return bad_json(code);
    Observation* below = nullptr;
    if (to != nullptr) {
      auto& member = member_of(*to, name);
      if (std::exchange(member.last_object, to->objects) != to->objects) ++member.in_objects;
      below = member.observation.get();
    }
    MR_TRY(value(field.value(), below, depth));
  }
  return {};
}

Result<void> Observer::elements(ondemand::array& array, Observation* to, size_t depth) {
  if (depth > limits::kJsonDepthMax) return bad_json("too many levels");
  if (to != nullptr) ++to->arrays;
  for (auto result : array) {
    ondemand::value element;
    if (auto code = std::move(result).get(element)) return bad_json(code);
    if (to != nullptr && to->element == nullptr) to->element = std::make_unique<Observation>();
    MR_TRY(value(element, to == nullptr ? nullptr : to->element.get(), depth));
  }
  return {};
}

Result<void> Observer::value(ondemand::value value, Observation* to, size_t depth) {
  std::string_view token = trimmed(value.raw_json_token());
  if (token.starts_with('{')) {
    ondemand::object object;
    if (auto code = value.get_object().get(object)) return bad_json(code);
    return fields(object, to, depth + 1);
  }
  if (token.starts_with('[')) {
    ondemand::array array;
    if (auto code = value.get_array().get(array)) return bad_json(code);
    return elements(array, to, depth + 1);
  }
  return scalar(value, token, to);
}

Result<void> Observer::scalar(ondemand::value& value, std::string_view token, Observation* to) {
  if (token.starts_with('"')) {
    std::string_view text;
    if (auto code = value.get_string().get(text)) return bad_json(code);
    if (to == nullptr) return {};
    ++to->strings;
    to->has_empty_string |= text.empty();
    if (to->forms != 0) to->forms &= forms_of(text);
    remember(text, *to);
    return {};
  }
  bool is_word = token == "null" || token == "true" || token == "false";
  if (!is_word && !sql::is_json_number(token)) return bad_json(excerpt(token, 60));
  if (to == nullptr) return {};
  if (token == "null")
    ++to->nulls;
  else if (is_word)
    ++to->booleans;
  else
    number(token, *to);
  return {};
}

void Observer::number(std::string_view token, Observation& to) {
  to.beyond_double |= !sql::parse_floating<double>(token).has_value();
  if (!sql::is_json_integer(token)) {
    ++to.fractions;
    return;
  }
  ++to.integers;
  remember(token, to);
  auto exact = sql::parse_exact(token, 0);
  to.beyond_128_bits |= !exact;
  to.beyond_64_bits |= !exact || *exact > INT64_MAX || *exact < INT64_MIN;
  constexpr int64_t kDoubleMax = int64_t{1} << 53;
  to.beyond_53_bits |= !exact || *exact > kDoubleMax || *exact < -kDoubleMax;
}

}  // namespace

void Observation::merge(const Observation& other) {
  nulls += other.nulls;
  booleans += other.booleans;
  integers += other.integers;
  fractions += other.fractions;
  strings += other.strings;
  arrays += other.arrays;
  beyond_53_bits |= other.beyond_53_bits;
  beyond_64_bits |= other.beyond_64_bits;
  beyond_128_bits |= other.beyond_128_bits;
  beyond_double |= other.beyond_double;
  has_empty_string |= other.has_empty_string;
  forms &= other.forms;
  repeated = true;
  for (const auto& member : other.members) {
    auto& mine = member_of(*this, member.name);
    mine.in_objects += member.in_objects;
    mine.observation->merge(*member.observation);
  }
  objects += other.objects;
  if (other.element == nullptr) return;
  if (element == nullptr) element = std::make_unique<Observation>();
  element->merge(*other.element);
}

Result<void> observe_item(std::string_view json, Observation& observation) {
  return Observer().item(json, &observation);
}

Result<void> check_item(std::string_view json) {
  return Observer().item(json, nullptr);
}

}  // namespace millrace::infer
