#include "sql/json_split.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <utility>

#include "base/text.h"
#include "sql/json_skip.h"
#include "sql/json_text.h"

namespace millrace::sql {

namespace ondemand = simdjson::ondemand;

struct ItemSplitter::Impl {
  ondemand::parser parser;
  std::vector<std::string_view> items;

  Result<void> follow(ondemand::value value, std::span<const std::string> path, size_t walked);
  Result<void> collect(ondemand::value value);
};

namespace {

std::unexpected<Error> bad_json(std::string_view problem) {
  return fail(ErrorCode::kInvalid, "bad JSON: {}", problem);
}
std::unexpected<Error> bad_json(simdjson::error_code code) {
  return bad_json(simdjson::error_message(code));
}

}  // namespace

// Goes on to the object's end after the items, so that a page that was cut off is none.
Result<void> ItemSplitter::Impl::follow(ondemand::value value, std::span<const std::string> path,
                                        size_t walked) {
  if (walked == path.size()) return collect(value);
  auto nothing_there = [&] {
    return fail(ErrorCode::kInvalid, "there is no '{}' in it",
                fmt::join(path.first(walked + 1), "."));
  };
  ondemand::object object;
  if (auto code = value.get_object().get(object))
    return code == simdjson::INCORRECT_TYPE ? nothing_there() : bad_json(code);
  bool found = false;
  for (auto result : object) {
    ondemand::field field;
    std::string_view key;
    if (auto code = std::move(result).get(field)) return bad_json(code);
    if (auto code = field.unescaped_key().get(key)) return bad_json(code);
    if (!found && key == path[walked]) {
      found = true;
      MR_TRY(follow(field.value(), path, walked + 1));
    } else if (const char* problem = skip_value(field.value(), walked + 1)) {
      return bad_json(problem);
    }
  }
  if (!found) return nothing_there();
  return {};
}

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
  if (auto followed = impl_->follow(value, path, 0); !followed)
    return in_response(followed.error());
  const char* after = nullptr;
  if (document.current_location().get(after) == simdjson::SUCCESS)
    return in_response(bad_json("more text after it, or its end is missing").error());
  return std::span<const std::string_view>(impl_->items);
}

}  // namespace millrace::sql
