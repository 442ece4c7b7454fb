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

FieldReader::FieldReader() : impl_(std::make_unique<Impl>()) {}
FieldReader::~FieldReader() = default;
FieldReader::FieldReader(FieldReader&&) noexcept = default;

std::optional<std::string> FieldReader::read(std::string_view json,
                                             std::span<const std::string> path) {
  ondemand::document document;
  simdjson::padded_string_view padded(json.data(), json.size(), json.size() + kJsonPadding);
  if (impl_->parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  ondemand::value value;
  if (document.get_value().get(value) != simdjson::SUCCESS) return std::nullopt;
  for (const auto& key : path) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
    bool found = false;
    for (auto result : object) {
      ondemand::field field;
      std::string_view name;
      if (std::move(result).get(field) != simdjson::SUCCESS) return std::nullopt;
      if (field.unescaped_key().get(name) != simdjson::SUCCESS) return std::nullopt;
      if (name != key) continue;
      value = field.value();
      found = true;
      break;
    }
    if (!found) return std::nullopt;
  }
  std::string_view token = trimmed(value.raw_json_token());
  if (is_json_number(token)) return std::string(token);
  std::string_view text;
  if (!token.starts_with('"') || value.get_string().get(text) != simdjson::SUCCESS)
    return std::nullopt;
  return std::string(text);
}

}  // namespace millrace::sql
