// lint.
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/pipeline_file.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Lint {
  std::string file;
  bool schema = false;
  bool reference = false;
};

std::string to_json(const std::string& file, const spec::Loaded& loaded) {
  Json json = {{"file", file}, {"ok", loaded.ok()}, {"problems", Json::array()}};
  for (const auto& problem : loaded.problems) {
    bool is_error = problem.severity == spec::Problem::Severity::kError;
    json["problems"].push_back({{"severity", is_error ? "error" : "warning"},
                                {"file", problem.place.file},
                                {"line", problem.place.line},
                                {"column", problem.place.column},
                                {"message", problem.message}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<int> lint(Session& session, const Lint& asked) {
  auto& out = session.out();
  if (asked.schema || asked.reference) {
    MR_TRY(out.write(asked.schema ? spec::editor_schema() : spec::reference()));
    return 0;
  }
  auto file = MR_TRY(choose_pipeline_file(asked.file, "lint"));
  auto loaded = MR_TRY(load_and_check(file));
  if (session.format() == Format::kJson) {
    MR_TRY(out.write(to_json(file, loaded) + "\n"));
    return loaded.ok() ? 0 : 1;
  }
  for (const auto& problem : loaded.problems) MR_TRY(out.write(to_line(problem) + "\n"));
  MR_TRY(out.flush());
  if (!loaded.ok()) return 1;
  const auto& pipeline = loaded.pipeline;
  auto size = [](const auto& nodes) { return static_cast<int64_t>(nodes.size()); };
  session.note(fmt::format("{}: {}, {}, {}: {}", file, count_of(size(pipeline.sources), "source"),
                           count_of(size(pipeline.topics), "topic"),
                           count_of(size(pipeline.tables), "table"),
                           loaded.problems.empty() ? "no problems" : "only warnings"));
  return 0;
}

}  // namespace

void add_file_commands(Commands& commands) {
  auto asked = std::make_shared<Lint>();
  auto* app = commands.add(nullptr, "lint", "Check a pipeline file and its SQL; nothing is run",
                           [asked](Session& session) { return lint(session, *asked); });
  app->add_option("FILE", asked->file, "The pipeline file; without it the only one in this folder");
  app->add_flag("--schema", asked->schema, "Print the JSON Schema of pipeline files, for editors");
  app->add_flag("--reference", asked->reference, "Print the reference of all keys, in Markdown");
}

}  // namespace millrace::cli
