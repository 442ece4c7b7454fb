#include "sql/json_split.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <utility>

#include "base/text.h"
#include "sql/json_field.h"
#include "sql/json_skip.h"
#include "sql/json_text.h"

namespace millrace::sql {

namespace ondemand = simdjson::ondemand;

struct ItemSplitter::Impl {
  ondemand::parser parser;
  std::vector<std::string_view> items;
  std::string_view response;       // without a byte order mark
  std::string masked;              // a response with bytes that JSON does not have, without them
  std::string_view readable;       // the one of these that could be read
  std::vector<std::string> names;  // of the object in which the path ended
  FieldReader fields;

  Result<void> split(std::span<const std::string> path);
  void mask();
  Result<void> follow(ondemand::value value, std::span<const std::string> path, size_t walked);
  Result<void> collect(ondemand::value value);
  std::unexpected<Error> nothing_at(std::span<const std::string> path) const;
};

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
// Of the names that are there instead of one that is not.
constexpr size_t kNamesLookedAt = 64;
constexpr size_t kNamesShown = 8;

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
  names.clear();
  ondemand::object object;
  if (auto code = value.get_object().get(object))
    return code == simdjson::INCORRECT_TYPE ? nothing_at(path.first(walked + 1)) : bad_json(code);
  bool found = false;
  for (auto result : object) {
    ondemand::field field;
    std::string_view key;
    if (auto code = std::move(result).get(field)) return bad_json(code);
    if (auto code = field.unescaped_key().get(key)) return bad_json(code);
    if (!found && key == path[walked]) {
      found = true;
      MR_TRY(follow(field.value(), path, walked + 1));
    } else {
      if (!found && names.size() < kNamesLookedAt) names.emplace_back(key);
      if (const char* problem = skip_value(field.value(), walked + 1)) return bad_json(problem);
    }
  }
  if (!found) return nothing_at(path.first(walked + 1));
  return {};
}

std::unexpected<Error> ItemSplitter::Impl::nothing_at(std::span<const std::string> path) const {
  auto near = did_you_mean(path.back(), names);
  std::string instead;
  if (!near.empty()) {
    instead = fmt::format("; did you mean '{}'?", excerpt(near, 60));
  } else {
    for (size_t i = 0; i < std::min(names.size(), kNamesShown); ++i)
      instead += fmt::format("{}{}", i == 0 ? ", only " : ", ", excerpt(names[i], 40));
    if (names.size() > kNamesShown) instead += ", …";
  }
  return fail(ErrorCode::kNotFound, "there is no '{}' in it{}", fmt::join(path, "."), instead);
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
    return fail(ErrorCode::kNotFound, "the items are no array but {}", excerpt(token, 60));
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

Result<void> ItemSplitter::Impl::split(std::span<const std::string> path) {
  items.clear();
  ondemand::document document;
  auto parse = [&](std::string_view text) {
    readable = text;
    simdjson::padded_string_view padded(text.data(), text.size(), text.size() + kJsonPadding);
    return parser.iterate(padded).get(document);
  };
  auto code = parse(response);
  if (code == simdjson::UTF8_ERROR || code == simdjson::UNESCAPED_CHARS) {
    mask();
    code = parse(std::string_view(masked).substr(0, response.size()));
  }
  if (code) return bad_json(code);
  ondemand::value value;
  if (auto top = document.get_value().get(value)) {
    if (top == simdjson::SCALAR_DOCUMENT_AS_VALUE)
      return fail(ErrorCode::kNotFound, "it is neither an object nor an array");
    return bad_json(top);
  }
  MR_TRY(follow(value, path, 0));
  const char* after = nullptr;
  if (document.current_location().get(after) == simdjson::SUCCESS)
    return bad_json("more text after it, or its end is missing");
  for (auto& item : items)
    item = response.substr(static_cast<size_t>(item.data() - readable.data()), item.size());
  return {};
}

// The response with '?' for every byte that is not UTF-8, and spaces for control characters: as
// long, and of the same structure. Items are looked at as they are when they are decoded.
void ItemSplitter::Impl::mask() {
  masked.assign(response);
  masked.append(kJsonPadding, '\0');
  for (size_t at = 0; at < response.size();) {
    auto byte = static_cast<uint8_t>(response[at]);
    size_t length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (is_utf8(response.substr(at, length))) {
      if (byte < 0x20) masked[at] = ' ';
      at += length;
    } else {
      masked[at++] = '?';
    }
  }
}

ItemSplitter::ItemSplitter() : impl_(std::make_unique<Impl>()) {}
ItemSplitter::~ItemSplitter() = default;

Result<std::span<const std::string_view>> ItemSplitter::split(std::string_view response,
                                                              std::span<const std::string> path) {
  if (response.starts_with(kByteOrderMark)) response.remove_prefix(kByteOrderMark.size());
  impl_->response = response;
  if (auto split = impl_->split(path); !split)
    return fail(split.error().code(), "the response cannot be read: {}; it begins {}",
                split.error().message(), excerpt(response, 120));
  return std::span<const std::string_view>(impl_->items);
}

Result<std::optional<std::string>> ItemSplitter::field(std::span<const std::string> path) {
  auto scalar = MR_TRY(impl_->fields.read(impl_->readable, path));
  if (!scalar) return std::nullopt;
  auto at = static_cast<size_t>(scalar->token.data() - impl_->readable.data());
  if (impl_->response.substr(at, scalar->token.size()) != scalar->token)
    return fail(ErrorCode::kInvalid, "it has bytes that are not UTF-8, or control characters: {}",
                excerpt(scalar->token));
  return std::move(scalar->text);
}

void split_lines(std::string_view response, std::vector<std::string_view>& lines) {
  constexpr std::string_view kSpaces = " \t\r";
  lines.clear();
  if (response.starts_with(kByteOrderMark)) response.remove_prefix(kByteOrderMark.size());
  while (!response.empty()) {
    auto line = response.substr(0, response.find('\n'));
    response.remove_prefix(std::min(line.size() + 1, response.size()));
    auto begin = line.find_first_not_of(kSpaces);
    if (begin == line.npos) continue;
    lines.push_back(line.substr(begin, line.find_last_not_of(kSpaces) + 1 - begin));
  }
}

}  // namespace millrace::sql
