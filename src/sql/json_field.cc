#include "sql/json_field.h"

#include <simdjson.h>

#include "sql/json_scalar.h"
#include "sql/json_split.h"
#include "sql/json_text.h"

namespace millrace::sql {

namespace ondemand = simdjson::ondemand;

struct FieldReader::Impl {
  ondemand::parser parser;
};

namespace {

std::unexpected<Error> bad_json(simdjson::error_code code) {
  return fail(ErrorCode::kInvalid, "bad JSON: {}", simdjson::error_message(code));
}

}  // namespace

FieldReader::FieldReader() : impl_(std::make_unique<Impl>()) {}
FieldReader::~FieldReader() = default;
FieldReader::FieldReader(FieldReader&&) noexcept = default;

Result<std::optional<FieldReader::Scalar>> FieldReader::read(std::string_view json,
                                                             std::span<const std::string> path) {
  ondemand::document document;
  ondemand::value value;
  simdjson::padded_string_view padded(json.data(), json.size(), json.size() + kJsonPadding);
  if (auto code = impl_->parser.iterate(padded).get(document)) return bad_json(code);
  auto top = document.get_value().get(value);
  if (top == simdjson::SCALAR_DOCUMENT_AS_VALUE) return std::nullopt;
  if (top) return bad_json(top);
  for (const auto& key : path) {
    ondemand::object object;
    auto code = value.get_object().get(object);
    if (code == simdjson::INCORRECT_TYPE) return std::nullopt;
    if (code) return bad_json(code);
    bool found = false;
    for (auto result : object) {
      ondemand::field field;
      std::string_view name;
      if (auto bad = std::move(result).get(field)) return bad_json(bad);
      if (auto bad = field.unescaped_key().get(name)) return bad_json(bad);
      if (name != key) continue;
      value = field.value();
      found = true;
      break;
    }
    if (!found) return std::nullopt;
  }
  std::string_view token = trimmed(value.raw_json_token());
  if (is_json_number(token)) return Scalar{std::string(token), token};
  if (!token.starts_with('"')) return std::nullopt;
  std::string_view text;
  if (auto code = value.get_string().get(text)) return bad_json(code);
  return Scalar{std::string(text), token};
}

}  // namespace millrace::sql
