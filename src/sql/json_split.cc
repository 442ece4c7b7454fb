#include "sql/json_split.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <utility>

#include "base/text.h"
#include "sql/json_text.h"

namespace millrace::sql {

namespace ondemand = simdjson::ondemand;

struct ItemSplitter::Impl {
  ondemand::parser parser;
  std::vector<std::string_view> items;

  Result<void> collect(ondemand::value value);
};

namespace {

std::unexpected<Error> bad_json(simdjson::error_code code) {
  return fail(ErrorCode::kInvalid, "bad JSON: {}", simdjson::error_message(code));
}

}  // namespace

Result<void> ItemSplitter::Impl::collect(ondemand::value value) {
  std::string_view token = trimmed(value.raw_json_token());
  if (token == "null") return {};
  if (token.starts_with('{')) {
    std::string_view text;
    if (auto code = whole_text(value, text)) return bad_json(code);
    items.push_back(text);
    return {};
  }
  ondemand::array array;
  if (!token.starts_with('['))
    return fail(ErrorCode::kInvalid, "the items are no array but {}", excerpt(token, 60));
  if (auto code = value.get_array().get(array)) return bad_json(code);
  for (auto result : array) {
    ondemand::value element;
    if (auto code = std::move(result).get(element)) return bad_json(code);
    std::string_view text;
    if (auto code = whole_text(element, text)) return bad_json(code);
    items.push_back(text);
  }
  return {};
}

ItemSplitter::ItemSplitter() : impl_(std::make_unique<Impl>()) {}
ItemSplitter::~ItemSplitter() = default;

Result<std::span<const std::string_view>> ItemSplitter::split(std::string_view response,
                                                              std::span<const std::string> path) {
  impl_->items.clear();
  auto in_response = [&](Error error) {
    return std::unexpected(
        Error(error.code(), fmt::format("the response cannot be read: {}; it "
                                        "begins {}",
                                        error.message(), excerpt(response, 120))));
  };
  ondemand::document document;
  simdjson::padded_string_view padded(response.data(), response.size(),
                                      response.size() + kJsonPadding);
  if (auto code = impl_->parser.iterate(padded).get(document))
    return in_response(bad_json(code).error());
  ondemand::value value;
  if (auto code = document.get_value().get(value)) {
    if (code == simdjson::SCALAR_DOCUMENT_AS_VALUE)
      return in_response(Error(ErrorCode::kInvalid, "it is neither an object nor an array"));
    return in_response(bad_json(code).error());
  }
  std::string walked;
  for (const auto& key : path) {
    walked += walked.empty() ? key : "." + key;
    ondemand::object object;
    ondemand::value inner;
    auto code = value.get_object().get(object);
    if (code == simdjson::SUCCESS) code = object.find_field_unordered(key).get(inner);
    if (code == simdjson::NO_SUCH_FIELD || code == simdjson::INCORRECT_TYPE)
      return in_response(Error(ErrorCode::kInvalid, fmt::format("there is no '{}' in it", walked)));
    if (code != simdjson::SUCCESS) return in_response(bad_json(code).error());
    value = inner;
  }
  if (auto collected = impl_->collect(value); !collected) return in_response(collected.error());
  return std::span<const std::string_view>(impl_->items);
}

}  // namespace millrace::sql
