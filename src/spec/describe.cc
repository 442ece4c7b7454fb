#include <fmt/format.h>

#include <set>

#include "spec/keys.h"
#include "spec/spec.h"

namespace millrace::spec {
namespace {

// Once each: `described` has the titles of those that are in `to`.
void describe(const ObjectDoc& object, std::set<std::string>& described, std::string& to) {
  if (!described.insert(object.title).second) return;
  to += fmt::format("### {}\n\n{}\n\n", object.title, object.doc);
  to += "| key | value | default | what it says |\n|---|---|---|---|\n";
  for (const auto& key : object.keys) {
    std::string fallback = key.required               ? "*required*"
                           : key.default_text.empty() ? ""
                                                      : fmt::format("`{}`", key.default_text);
    to += fmt::format("| `{}` | {} | {} | {} |\n", key.name, key.shape.label, fallback, key.doc);
  }
  to += '\n';
  for (const auto& key : object.keys)
    for (const auto& inner : key.shape.objects) describe(inner, described, to);
}

}  // namespace

std::string editor_schema() {
  nlohmann::ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                                   {"title", "millrace pipeline file"}};
  schema.update(pipeline_file().shape.schema);
  return schema.dump(2) + "\n";
}

std::string reference() {
  std::string text;
  std::set<std::string> described;
  for (const auto& object : pipeline_file().shape.objects) describe(object, described, text);
  text.pop_back();  // the last table's empty line
  return text;
}

}  // namespace millrace::spec
