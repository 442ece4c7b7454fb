#include "spec/http_body.h"

#include <optional>

#include "base/limits.h"
#include "base/text.h"
#include "spec/number_text.h"

namespace millrace::spec {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kExpected = "text, or a map or a list that becomes JSON";
// Of one body, so that aliases inside aliases end; each value counts as some bytes.
constexpr size_t kBytesMax = size_t{1} << 20;
constexpr size_t kBytesOfValue = 16;

// The same body with its secrets, and with "***" for them.
struct Pair {
  Json value;
  Json shown;
};

// What YAML reads these words as.
std::optional<Json> word(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text == "null" || text == "Null" || text == "NULL" || text == "~") return nullptr;
  return std::nullopt;
}

class BodyReader {
 public:
  BodyReader(Reader& reader, const Place& named) : reader_(reader), named_(named) {}

  Pair read(const YAML::Node& node, size_t depth) {
    if (is_endless_) return {};
    bytes_ += kBytesOfValue + (node.IsScalar() ? node.Scalar().size() : 0);
    if (depth > limits::kJsonDepthMax || bytes_ > kBytesMax) {
      is_endless_ = true;
      reader_.error(reader_.place(node), "this body goes on without an end: more than {}",
                    depth > limits::kJsonDepthMax ? fmt::format("{} levels", limits::kJsonDepthMax)
                                                  : fmt::format("{} bytes", kBytesMax));
      return {};
    }
    if (node.IsMap()) return read_map(node, depth);
    if (node.IsSequence()) return read_list(node, depth);
    return read_scalar(node);
  }
  std::vector<Secret> take_secrets() { return std::move(secrets_); }

 private:
  Pair read_map(const YAML::Node& node, size_t depth) {
    Pair map{Json::object(), Json::object()};
    for (const auto& entry : node) {
      auto name = reader_.plain({entry.first, named_}, "a name before the ':'");
      if (!name) continue;
      if (map.value.contains(*name))
        reader_.error(reader_.place(entry.first), "{} stands here a second time", in_quotes(*name));
      auto [value, shown] = read(entry.second, depth + 1);
      map.value[*name] = std::move(value);
      map.shown[*name] = std::move(shown);
    }
    return map;
  }

  Pair read_list(const YAML::Node& node, size_t depth) {
    Pair list{Json::array(), Json::array()};
    for (const auto& element : node) {
      auto [value, shown] = read(element, depth + 1);
      list.value.push_back(std::move(value));
      list.shown.push_back(std::move(shown));
    }
    return list;
  }

  Pair read_scalar(const YAML::Node& node) {
    if (node.IsNull()) return {};
    auto text = reader_.text({node, named_}, kExpected);
    if (!text) return {};
    // The parser's tag of text without quotes and without a tag of its own.
    if (text->secrets.empty() && node.Tag() == "?") {
      auto bare = word(text->value);
      if (!bare) bare = number(node, text->value);
      if (bare) return {*bare, *bare};
    }
    secrets_.insert(secrets_.end(), text->secrets.begin(), text->secrets.end());
    return {text->value, text->shown};
  }

  // nullopt: it is none, or not clear, which is then reported.
  std::optional<Json> number(const YAML::Node& node, const std::string& text) {
    if (!is_json_number(text)) {
      if (is_yaml_number(text))
        reader_.error(reader_.place(node),
                      "is {0} a number or text? Write \"{0}\" for the text, or the number as JSON "
                      "has it",
                      text);
      return std::nullopt;
    }
    auto parsed = Json::parse(text, nullptr, false);
    bool is_whole = text.find_first_of(".eE") == text.npos;
    if (!parsed.is_discarded() && (!is_whole || parsed.is_number_integer())) return parsed;
    reader_.error(reader_.place(node),
                  "{} has more than 64 bits: write the whole body as text, which is sent as it is",
                  excerpt(text, 60));
    return std::nullopt;
  }

  Reader& reader_;
  const Place& named_;
  std::vector<Secret> secrets_;
  size_t bytes_ = 0;
  bool is_endless_ = false;
};

void read_body(Reader& reader, const Item& item, HttpSpec& to) {
  if (!item.node.IsMap() && !item.node.IsSequence()) {
    auto text = reader.text(item, kExpected);
    if (!text) return;
    to.body_is_json = nlohmann::json::accept(text->value);
    to.body = *std::move(text);
    return;
  }
  BodyReader body(reader, item.named);
  auto [value, shown] = body.read(item.node, 0);
  constexpr auto kReplaceBadText = Json::error_handler_t::replace;
  to.body_is_json = true;
  to.body = {.value = value.dump(-1, ' ', false, kReplaceBadText),
             .shown = shown.dump(-1, ' ', false, kReplaceBadText),
             .place = reader.place(item.node),
             .secrets = body.take_secrets()};
}

}  // namespace

Value<HttpSpec> http_body() {
  return {{"text, map or list", {{"type", {"string", "object", "array"}}}, {}}, read_body};
}

}  // namespace millrace::spec
