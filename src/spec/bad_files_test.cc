// Every testdata/NAME.yaml is linted; testdata/NAME.txt holds the problems to expect, one a line.
// To add a case write the YAML, run with MILLRACE_UPDATE=1, and read what was written.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "spec/spec.h"
#include "spec/test_variables.h"

namespace millrace::spec {
namespace {

namespace fs = std::filesystem;

std::string problems_of(const fs::path& path) {
  auto loaded = load(path.string(), test_variables());
  if (!loaded) return loaded.error().message() + "\n";
  std::string text;
  for (const auto& problem : loaded->problems)
    text += fmt::format("{}:{}: {}{}\n", problem.place.line, problem.place.column,
                        problem.severity == Problem::Severity::kWarning ? "warning: " : "",
                        problem.message);
  // File names in messages are those of whoever runs the test.
  std::string folder = path.parent_path().string() + "/";
  for (size_t at; (at = text.find(folder)) != text.npos;) text.erase(at, folder.size());
  return text;
}

TEST(BadFiles, SayWhatIsWrongAndWhere) {
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(MILLRACE_SOURCE_DIR "/src/spec/testdata")) {
    if (entry.path().extension() != ".yaml") continue;
    SCOPED_TRACE(entry.path().filename().string());
    ++files;
    auto problems = problems_of(entry.path());
    EXPECT_EQ(problems.find(kSecret), std::string::npos);
    auto expected_path = fs::path(entry.path()).replace_extension(".txt");
    if (std::getenv("MILLRACE_UPDATE") != nullptr) std::ofstream(expected_path) << problems;
    std::ifstream expected(expected_path);
    EXPECT_EQ(problems, (std::stringstream() << expected.rdbuf()).str());
  }
  EXPECT_GT(files, 20u);
}

}  // namespace
}  // namespace millrace::spec
