// Any bytes as a pipeline file: every problem has a place in the file, and a secret stands in no
// message and in no text that is shown.
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "spec/spec.h"

namespace millrace::spec {
namespace {

constexpr std::string_view kSecret = "T9qXv-hush-Wm3z";

// A folder with a schema file, which the seeds name, removed at the end.
class Folder {
 public:
  Folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "millrace-spec-XXXXXX").string();
    MR_CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    std::ofstream(path_ + "/item.schema.json")
        << R"({"type":"object","properties":{"id":{"type":"string"},"n":{"type":"integer"}}})";
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(std::string_view text) const {
    std::ofstream(path_ + "/pipeline.yaml", std::ios::binary) << text;
    return path_ + "/pipeline.yaml";
  }

 private:
  std::string path_;
};

void check_problem(const Problem& problem, int lines) {
  MR_CHECK(!problem.message.empty());
  MR_CHECK(problem.message.find(kSecret) == std::string::npos);
  MR_CHECK(problem.place.line >= 1 && problem.place.line <= lines);
  MR_CHECK(problem.place.column >= 1);
}

void check(std::string_view text) {
  static const Folder folder;
  // Devices and pipes of the machine are no place to read schemas from in a test.
  for (std::string_view name : {"/dev", "/proc", "/sys", ".."})
    if (text.find(name) != std::string_view::npos) return;
  Variables variables;
  variables.env = [](std::string_view name) -> std::optional<std::string> {
    return name == "SET" ? std::optional<std::string>("set") : std::nullopt;
  };
  variables.secret = [](std::string_view) -> Result<std::string> { return std::string(kSecret); };
  auto loaded = load(folder.file(text), variables);
  if (!loaded) return;
  // A place may be at the end, behind the last line end; CR and CR LF are line ends too.
  auto lines = static_cast<int>(
      2 + std::ranges::count_if(text, [](char c) { return c == '\n' || c == '\r'; }));
  for (const auto& problem : loaded->problems) check_problem(problem, lines);
  for (const auto& source : loaded->pipeline.sources) {
    MR_CHECK(source.http.url.shown.find(kSecret) == std::string::npos);
    for (const auto& [name, value] : source.http.headers)
      MR_CHECK(value.shown.find(kSecret) == std::string::npos);
  }
}

}  // namespace
}  // namespace millrace::spec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  millrace::spec::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
