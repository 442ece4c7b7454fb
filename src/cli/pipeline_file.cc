#include "cli/pipeline_file.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "io/io.h"

namespace millrace::cli {
namespace {

constexpr size_t kPipelineFileBytesMax = size_t{1} << 20;

// Other YAML files stand in the same folders, of Compose for one.
bool looks_like_pipeline(const std::string& path) {
  auto text = io::read_file(path, kPipelineFileBytesMax);
  if (!text) return false;
  for (std::string_view key : {"sources:", "tables:"}) {
    if (text->starts_with(key) || text->find("\n" + std::string(key)) != text->npos) return true;
  }
  return false;
}

}  // namespace

Result<std::string> choose_pipeline_file(const std::string& given, std::string_view command) {
  if (!given.empty()) return given;
  std::vector<std::string> found;
  for (const auto& name : MR_TRY(io::list_directory("."))) {
    bool is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
    if (is_yaml && looks_like_pipeline(name)) found.push_back(name);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return fail(ErrorCode::kNotFound,
                "there is no pipeline file in this folder; name one: millrace {} FILE", command);
  }
  return fail(ErrorCode::kInvalid,
              "there are several pipeline files in this folder ({}); name one: millrace {} {}",
              fmt::join(found, ", "), command, found.front());
}

Result<std::unique_ptr<Checked>> check_file(const std::string& path) {
  auto checked = std::make_unique<Checked>();
  checked->loaded = MR_TRY(spec::load(path, spec::process_variables()));
  auto& loaded = checked->loaded;
  if (loaded.ok()) {
    checked->engine = MR_TRY(sql::Engine::open({}));
    checked->plan = pipeline::make_plan(*checked->engine, loaded.pipeline, loaded.problems);
  }
  if (loaded.ok())
    checked->stage.emplace(*checked->engine, loaded.pipeline, checked->plan, loaded.problems);
  std::ranges::sort(loaded.problems, {}, [](const spec::Problem& problem) {
    return std::tie(problem.place.line, problem.place.column, problem.message);
  });
  return checked;
}

Result<spec::Loaded> load_and_check(const std::string& path) {
  auto checked = MR_TRY(check_file(path));
  return std::move(checked->loaded);
}

std::string to_line(const spec::Problem& problem) {
  bool is_error = problem.severity == spec::Problem::Severity::kError;
  return fmt::format("{}: {}: {}", spec::to_string(problem.place), is_error ? "error" : "warning",
                     problem.message);
}

}  // namespace millrace::cli
