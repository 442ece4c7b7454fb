#include "spec/test_value.h"

#include <algorithm>
#include <list>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "spec/number_text.h"
#include "spec/value.h"

namespace millrace::spec {
namespace {

using Json = nlohmann::json;

// Of one value, so that aliases inside aliases end.
constexpr size_t kTextBytesMax = size_t{4} << 20;

const std::string kMergeKey = "<<";

std::string json_string(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

class Writer {
 public:
  explicit Writer(Reader& reader) : reader_(reader) {}

  bool write(const YAML::Node& node, size_t depth) {
    if (depth > limits::kJsonDepthMax || text_.size() > kTextBytesMax) {
      reader_.error(reader_.place(node), "this value goes on without an end: more than {}",
                    depth > limits::kJsonDepthMax ? fmt::format("{} levels", limits::kJsonDepthMax)
                                                  : fmt::format("{} bytes", kTextBytesMax));
      return false;
    }
    if (node.IsMap()) return write_map(node, depth);
    if (node.IsSequence()) return write_list(node, depth);
    if (node.IsScalar()) return write_scalar(node);
    text_ += "null";
    return true;
  }

  std::string take() { return std::move(text_); }

 private:
  // A list, whose elements never move: to assign to a YAML::Node is to change the document.
  using Members = std::list<std::pair<std::string, YAML::Node>>;

  bool write_scalar(const YAML::Node& node);

  bool write_list(const YAML::Node& node, size_t depth) {
    text_ += '[';
    bool first = true;
    for (const auto& element : node) {
      if (!std::exchange(first, false)) text_ += ',';
      if (!write(element, depth + 1)) return false;
    }
    text_ += ']';
    return true;
  }

  bool write_map(const YAML::Node& node, size_t depth) {
    Members members;
    if (!collect(node, members, depth)) return false;
    text_ += '{';
    bool first = true;
    for (const auto& [name, value] : members) {
      if (!std::exchange(first, false)) text_ += ',';
      text_ += json_string(name) + ':';
      if (!write(value, depth + 1)) return false;
    }
    text_ += '}';
    return true;
  }

  // The members of a map, those it takes over first.
  bool collect(const YAML::Node& node, Members& members, size_t depth) {
    auto put = [&](const std::string& name, const YAML::Node& value) {
      auto same = std::ranges::find(members, name, &Members::value_type::first);
      if (same != members.end()) members.erase(same);
      members.emplace_back(name, value);
    };
    for (const auto& pair : node) {
      if (!pair.first.IsScalar() || pair.first.Scalar() != kMergeKey) continue;
      if (!pair.second.IsMap() || depth > limits::kJsonDepthMax) {
        reader_.error(reader_.place(pair.first),
                      "'<<' takes over the keys of a map: write '<<: *name', with '&name' before "
                      "that map");
        return false;
      }
      Members taken;
      if (!collect(pair.second, taken, depth + 1)) return false;
      for (const auto& [name, value] : taken) put(name, value);
    }
    std::vector<std::string> own;
    for (const auto& pair : node) {
      auto place = reader_.place(pair.first);
      if (!pair.first.IsScalar()) {
        reader_.error(place, "expected a name before the ':'");
        return false;
      }
      const auto& name = pair.first.Scalar();
      if (name == kMergeKey) continue;
      if (std::ranges::find(own, name) != own.end()) {
        reader_.error(place, "{} stands here a second time", in_quotes(name));
        return false;
      }
      own.push_back(name);
      put(name, pair.second);
    }
    return true;
  }

  Reader& reader_;
  std::string text_;
};

bool Writer::write_scalar(const YAML::Node& node) {
  const auto& written = node.Scalar();
  auto text = reader_.plain({node, reader_.place(node)}, "a value");
  if (!text) return false;
  // The parser's tag of text without quotes and without a tag of its own.
  bool is_word = node.Tag() == "?" && *text == written;
  if (!is_word) {
    text_ += json_string(*text);
    return true;
  }
  std::string lower = written;
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (lower == "true" || lower == "false") {
    text_ += lower;
  } else if (is_json_number(written)) {
    text_ += written;
  } else if (is_whole_number(written)) {
    reader_.error(reader_.place(node), "is {0} a number or text? Write \"{0}\" for the text",
                  written);
    return false;
  } else {
    text_ += json_string(*text);
  }
  return true;
}

}  // namespace

std::optional<std::string> json_of(Reader& reader, const Item& item) {
  Writer writer(reader);
  if (!writer.write(item.node, 0)) return std::nullopt;
  return writer.take();
}

}  // namespace millrace::spec
