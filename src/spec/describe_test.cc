#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "spec/keys.h"
#include "spec/spec.h"

namespace millrace::spec {
namespace {

// What stands between the markers of docs/pipeline-file.md is what reference() says.
// MILLRACE_UPDATE=1 puts it there.
TEST(Describe, ThePageHasTheReference) {
  const char* path = MILLRACE_SOURCE_DIR "/docs/pipeline-file.md";
  std::ifstream file(path);
  std::string page = (std::stringstream() << file.rdbuf()).str();
  std::string begin = "<!-- keys: generated, see src/spec/describe_test.cc -->\n";
  size_t from = page.find(begin) + begin.size();
  size_t to = page.find("<!-- end of keys -->");
  ASSERT_LE(from, to);
  ASSERT_NE(to, page.npos);
  auto wanted = page.substr(0, from) + reference() + page.substr(to);
  if (std::getenv("MILLRACE_UPDATE") != nullptr) std::ofstream(path) << wanted;
  EXPECT_EQ(page, wanted);
}

int times(const std::string& part, const std::string& text) {
  int count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void check_described(const ObjectDoc& object, const nlohmann::json& schema) {
  EXPECT_EQ(schema["properties"].size(), object.keys.size());
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(times("### " + object.title + "\n", reference()), 1) << object.title;
  for (const auto& key : object.keys) {
    SCOPED_TRACE(object.title + "." + key.name);
    EXPECT_THAT(reference(), testing::HasSubstr("| `" + key.name + "` | " + key.shape.label));
    ASSERT_TRUE(schema["properties"].contains(key.name));
    const auto& property = schema["properties"][key.name];
    EXPECT_EQ(property["description"], key.doc);
    for (const auto& inner : key.shape.objects) {
      bool map = property.contains("patternProperties");
      bool choice = property.contains("anyOf");  // the last is the object
      check_described(inner, map      ? property["patternProperties"].front()
                             : choice ? property["anyOf"].back()
                                      : property);
    }
  }
}

TEST(Describe, EveryKeyIsInTheEditorsSchemaAndTheReference) {
  auto schema = nlohmann::json::parse(editor_schema());
  for (const auto& object : pipeline_file().shape.objects) check_described(object, schema);
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  const auto& sources = schema["properties"]["sources"]["patternProperties"];
  const auto& source = sources["^[a-z_][a-z0-9_]*$"];
  EXPECT_THAT(source["required"], testing::ElementsAre("http", "schema", "to", "select"));
  EXPECT_EQ(source["properties"]["http"]["properties"]["timeout"]["default"], "10s");
  const auto& topics = schema["properties"]["topics"]["patternProperties"].front();
  EXPECT_EQ(topics["properties"]["partitions"]["default"], 1);
}

TEST(Describe, DefaultsAreThoseOfTheStructs) {
  EXPECT_THAT(reference(), testing::HasSubstr("| `every` | duration | `1s` |"));
  EXPECT_THAT(reference(), testing::HasSubstr("| `partitions` | whole number, 1 to 1,024 | `1` |"));
  EXPECT_THAT(reference(),
              testing::HasSubstr("| `by` | `number`, `offset`, `cursor`, `link` | `number` |"));
}

}  // namespace
}  // namespace millrace::spec
