#include "cli/json_text.h"

#include <simdjson.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace millrace::cli {
namespace {

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

// The text of a value, which is passed over.
simdjson::error_code whole_text(simdjson::ondemand::value value, std::string_view& text) {
  text = value.raw_json_token();
  auto code = simdjson::SUCCESS;
  if (text.starts_with('{')) {
    simdjson::ondemand::object object;
    code = value.get_object().get(object);
    if (code == simdjson::SUCCESS) code = object.raw_json().get(text);
  } else if (text.starts_with('[')) {
    simdjson::ondemand::array array;
    code = value.get_array().get(array);
    if (code == simdjson::SUCCESS) code = array.raw_json().get(text);
  }
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return code;
}

std::unexpected<Error> not_json(std::string_view text) {
  return fail(ErrorCode::kCorrupt,
              "an answer that makes no sense: '{}'; does another version of millrace run there?",
              excerpt(text, 80));
}

}  // namespace

struct JsonSlicer::Parser {
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;

  simdjson::error_code start(std::string_view text) {
    simdjson::padded_string_view padded(text.data(), text.size(), text.size() + kJsonPadding);
    return parser.iterate(padded).get(document);
  }
};

JsonSlicer::JsonSlicer() : parser_(std::make_unique<Parser>()) {}
JsonSlicer::~JsonSlicer() = default;

Result<std::vector<std::string_view>> JsonSlicer::elements(std::string_view array) {
  std::vector<std::string_view> texts;
  simdjson::ondemand::array values;
  auto code = parser_->start(array);
  if (code == simdjson::SUCCESS) code = parser_->document.get_array().get(values);
  if (code != simdjson::SUCCESS) return not_json(array);
  for (auto element : values) {
    simdjson::ondemand::value value;
    code = std::move(element).get(value);
    if (code == simdjson::SUCCESS) code = whole_text(value, texts.emplace_back());
    if (code != simdjson::SUCCESS) return not_json(array);
  }
  return texts;
}

Result<std::vector<std::string_view>> JsonSlicer::elements(std::string_view object,
                                                           std::string_view name) {
  return elements(MR_TRY(member(object, name)));
}

Result<std::string_view> JsonSlicer::member(std::string_view object, std::string_view name) {
  simdjson::ondemand::value value;
  auto code = parser_->start(object);
  if (code == simdjson::SUCCESS) code = parser_->document.find_field_unordered(name).get(value);
  if (code == simdjson::NO_SUCH_FIELD) return "null";
  std::string_view text;
  if (code == simdjson::SUCCESS) code = whole_text(value, text);
  if (code != simdjson::SUCCESS) return not_json(object);
  return text;
}

std::string content_of(std::string_view json) {
  if (!json.starts_with('"')) return std::string(json);
  if (json.find('\\') == json.npos) return std::string(json.substr(1, json.size() - 2));
  auto value = nlohmann::json::parse(json, nullptr, false);
  return value.is_string() ? value.get<std::string>() : std::string(json);
}

std::string indented(std::string_view json) {
  std::string text;
  size_t depth = 0;
  bool in_string = false;
  auto new_line = [&] { text += '\n' + std::string(2 * depth, ' '); };
  for (size_t i = 0; i < json.size(); ++i) {
    char c = json[i];
    if (in_string) {
      text += c;
      if (c == '\\' && i + 1 < json.size()) text += json[++i];
      in_string = c != '"';
    } else if (c == '{' || c == '[') {
      text += c;
      auto next = json.find_first_not_of(" \t\r\n", i + 1);
      bool is_empty = next != json.npos && (json[next] == '}' || json[next] == ']');
      if (is_empty) {
        text += json[i = next];
      } else {
        ++depth;
        new_line();
      }
    } else if (c == '}' || c == ']') {
      depth -= depth > 0 ? 1 : 0;
      new_line();
      text += c;
    } else if (c == ',') {
      text += c;
      new_line();
    } else if (c == ':') {
      text += ": ";
    } else if (static_cast<unsigned char>(c) > ' ') {
      in_string = c == '"';
      text += c;
    }
  }
  return text;
}

}  // namespace millrace::cli
