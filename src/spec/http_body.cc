#include "spec/http_body.h"

#include <regex>

namespace millrace::spec {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kExpected = "text, or a map or a list that becomes JSON";
// RFC 8259, section 6; std::regex recurses once per character, so what it sees must be short.
constexpr const char* kNumber = "-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?";
constexpr size_t kNumberBytesMax = 40;

// The same body with its secrets, and with "***" for them.
struct Pair {
  Json value;
  Json shown;
};

bool is_bare_json(const std::string& text) {
  return text == "true" || text == "false" || text == "null" || text == "~" ||
         (text.size() <= kNumberBytesMax && std::regex_match(text, std::regex(kNumber)));
}

class BodyReader {
 public:
  BodyReader(Reader& reader, const Place& named) : reader_(reader), named_(named) {}

  Pair read(const YAML::Node& node) {
    if (node.IsMap()) return read_map(node);
    if (node.IsSequence()) return read_list(node);
    return read_scalar(node);
  }
  std::vector<Secret> take_secrets() { return std::move(secrets_); }

 private:
  Pair read_map(const YAML::Node& node) {
    Pair map{Json::object(), Json::object()};
    for (const auto& entry : node) {
      auto name = reader_.plain({entry.first, named_}, "a name before the ':'");
      if (!name) continue;
      if (map.value.contains(*name))
        reader_.error(reader_.place(entry.first), "{} stands here a second time", in_quotes(*name));
      auto [value, shown] = read(entry.second);
      map.value[*name] = std::move(value);
      map.shown[*name] = std::move(shown);
    }
    return map;
  }

  Pair read_list(const YAML::Node& node) {
    Pair list{Json::array(), Json::array()};
    for (const auto& element : node) {
      auto [value, shown] = read(element);
      list.value.push_back(std::move(value));
      list.shown.push_back(std::move(shown));
    }
    return list;
  }

  Pair read_scalar(const YAML::Node& node) {
    if (node.IsNull()) return {};
    auto text = reader_.text({node, named_}, kExpected);
    if (!text) return {};
    if (text->secrets.empty() && node.Tag() == "?" && is_bare_json(text->value)) {
      auto bare = text->value == "~" ? Json() : Json::parse(text->value, nullptr, false);
      return {bare, bare};
    }
    secrets_.insert(secrets_.end(), text->secrets.begin(), text->secrets.end());
    return {text->value, text->shown};
  }

  Reader& reader_;
  const Place& named_;
  std::vector<Secret> secrets_;
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
  auto [value, shown] = body.read(item.node);
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
