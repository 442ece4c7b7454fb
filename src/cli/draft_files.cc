#include "cli/draft_files.h"

#include <algorithm>
#include <filesystem>

#include "cli/pipeline_file.h"
#include "io/io.h"

namespace millrace::cli {
namespace {

constexpr size_t kNotesTold = 20;

}  // namespace

std::vector<std::string> keys_of(std::string_view path) {
  std::vector<std::string> keys;
  while (!path.empty()) {
    auto key = path.substr(0, path.find('.'));
    keys.emplace_back(key);
    path.remove_prefix(std::min(key.size() + 1, path.size()));
  }
  return keys;
}

std::string path_text(const std::vector<std::string>& keys) {
  return fmt::format("{}", fmt::join(keys, "."));
}

void add_header_option(CLI::App& app, std::vector<std::string>& headers) {
  app.add_option("--header", headers,
                 "'Name: value' to ask the address with; ${secret:NAME} stands for a token")
      ->type_name("HEADER")
      ->allow_extra_args(false);
}

Result<std::vector<infer::Header>> read_headers(const std::vector<std::string>& headers) {
  std::vector<infer::Header> read;
  auto variables = spec::process_variables();
  for (const auto& header : headers)
    read.push_back(MR_TRY_IN(infer::parse_header(header, variables), "--header"));
  return read;
}

void tell(const Session& session, const infer::Findings& findings) {
  auto at = path_text(findings.layout.path);
  session.note(fmt::format("{}{}: {}", count_of(static_cast<int64_t>(findings.items), "item"),
                           at.empty() ? "" : " at " + at, printable(findings.layout.why)));
  if (findings.key)
    session.note(
        fmt::format("key {}: {}", printable(path_text(findings.key->path)), findings.key->why));
  else
    session.note("no key: no field is in every item and different in each");
  for (size_t i = 0; i < std::min(kNotesTold, findings.notes.size()); ++i)
    session.note("unsure: " + printable(findings.notes[i]));
  if (findings.notes.size() > kNotesTold)
    session.note(
        fmt::format("… and {} more; -o json has them all", findings.notes.size() - kNotesTold));
  if (!findings.layout.paging.empty()) session.note("more pages: " + findings.layout.paging);
}

std::string schema_beside(const std::string& path) {
  return std::filesystem::path(path).replace_extension(".schema.json").string();
}

Result<void> check_free(const std::vector<std::string>& paths) {
  for (const auto& path : paths)
    if (MR_TRY(io::file_exists(path)))
      return fail(ErrorCode::kConflict, "{} is there already, and is not written over", path);
  return {};
}

Result<void> write_draft(const Session& session, const infer::Findings& findings,
                         infer::DraftOf draft, const std::string& path,
                         const std::string& schema_path) {
  MR_TRY(check_free({path, schema_path}));
  auto folder = std::filesystem::path(path).parent_path();
  for (const auto& above : {folder, std::filesystem::path(schema_path).parent_path()})
    if (!above.empty()) MR_TRY(io::make_directories(above.string()));
  auto beside =
      std::filesystem::path(schema_path).lexically_proximate(folder.empty() ? "." : folder);
  draft.schema_file = beside.string();
  MR_TRY(io::write_file_atomic(schema_path, findings.schema.dump(2) + "\n"));
  MR_TRY(io::write_file_atomic(path, infer::draft_pipeline(findings, draft)));

  auto checked = MR_TRY(check_file(path));
  for (const auto& problem : checked->loaded.problems) session.note(to_line(problem));
  if (!checked->loaded.ok())
    return fail(ErrorCode::kInvalid, "{} was written, but is not right yet", path);
  for (const auto& test : checked->loaded.pipeline.tests)
    if (!MR_TRY(checked->stage->run(test)).passed())
      return fail(ErrorCode::kInvalid,
                  "{0} was written, but its test does not pass: millrace test "
                  "{0}",
                  path);
  session.note(fmt::format("wrote {} and {}", path, schema_path));
  return {};
}

}  // namespace millrace::cli
