// infer.
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/draft_files.h"
#include "infer/infer.h"
#include "io/io.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Infer {
  std::vector<std::string> from;
  std::vector<std::string> headers;
  std::string items;
  std::string schema;
  std::string pipeline;
};

std::string to_json(const Infer& asked, const infer::Findings& findings) {
  Json json = {{"from", asked.from},
               {"path", findings.layout.path},
               {"path_why", findings.layout.why},
               {"items", findings.items},
               {"key", nullptr},
               {"notes", findings.notes},
               {"paging", findings.layout.paging},
               {"schema", findings.schema}};
  if (findings.key)
    json["key"] = {
        {"path", findings.key->path}, {"why", findings.key->why}, {"sure", findings.key->is_sure}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<int> run_infer(Session& session, const Infer& asked) {
  std::vector<infer::Sample> samples;
  auto headers = MR_TRY(read_headers(asked.headers));
  for (const auto& from : asked.from) samples.push_back(MR_TRY(infer::take_sample(from, headers)));
  std::optional<std::vector<std::string>> path;
  if (!asked.items.empty()) path = keys_of(asked.items);
  auto findings = MR_TRY(infer::look_at(samples, path));
  auto& out = session.out();
  if (session.format() == Format::kJson)
    MR_TRY(out.write(to_json(asked, findings)));
  else
    tell(session, findings);

  if (!asked.pipeline.empty()) {
    const auto& from = asked.from.front();
    auto schema = asked.schema.empty() ? schema_beside(asked.pipeline) : asked.schema;
    MR_TRY(write_draft(session, findings,
                       {.name = infer::name_for(from),
                        .address = infer::is_address(from) ? from : "",
                        .headers = headers,
                        .from = from,
                        .schema_file = "",
                        .key = findings.key ? findings.key->path : std::vector<std::string>()},
                       asked.pipeline, schema));
  } else if (!asked.schema.empty()) {
    MR_TRY(check_free({asked.schema}));
    MR_TRY(io::write_file_atomic(asked.schema, findings.schema.dump(2) + "\n"));
    session.note("wrote " + asked.schema);
  } else if (session.format() == Format::kText) {
    MR_TRY(out.write(findings.schema.dump(2) + "\n"));
  }
  return 0;
}

}  // namespace

void add_infer_command(Commands& commands) {
  auto asked = std::make_shared<Infer>();
  auto* app = commands.add(nullptr, "infer",
                           "Make a JSON Schema, and a pipeline file, from what an API answers",
                           [asked](Session& session) { return run_infer(session, *asked); });
  app->add_option("FROM", asked->from,
                  "An address, or files with answers: JSON, JSON lines, CSV, also with .gz")
      ->required();
  add_header_option(*app, asked->headers);
  app->add_option("--items", asked->items, "Where in an answer the items are (default: guessed)")
      ->type_name("PATH");
  app->add_option("--schema", asked->schema, "Write the schema to a file, not to stdout")
      ->type_name("FILE");
  app->add_option("--pipeline", asked->pipeline,
                  "Write a draft of a pipeline file, and its schema beside it")
      ->type_name("FILE");
}

}  // namespace millrace::cli
