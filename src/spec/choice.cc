#include "spec/choice.h"

namespace millrace::spec {
namespace {

// In editors a variable may stand for any value.
constexpr const char* kVariablePattern = "\\$\\{";

}  // namespace

Shape choice_shape(const std::vector<std::string>& words) {
  nlohmann::ordered_json schema = {
      {"anyOf", {{{"enum", words}}, {{"type", "string"}, {"pattern", kVariablePattern}}}}};
  return {fmt::format("`{}`", fmt::join(words, "`, `")), std::move(schema), {}};
}

std::optional<size_t> read_choice(Reader& reader, const Item& item,
                                  const std::vector<std::string>& words) {
  auto expected = fmt::format("one of {}", fmt::join(words, ", "));
  auto text = reader.plain(item, expected);
  if (!text) return std::nullopt;
  auto found = std::ranges::find(words, *text);
  if (found != words.end()) return static_cast<size_t>(found - words.begin());
  reader.unexpected(item, expected, in_quotes(*text));
  return std::nullopt;
}

}  // namespace millrace::spec
