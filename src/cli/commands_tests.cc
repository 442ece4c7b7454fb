// test.
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/pipeline_file.h"
#include "cli/test_text.h"

namespace millrace::cli {
namespace {

struct Asked {
  std::vector<std::string> words;  // a file's name, perhaps, then tests' names
};

bool is_file_name(const std::string& word) {
  return word.ends_with(".yaml") || word.ends_with(".yml") || word.contains('/');
}

// The tests with these names, in the file's order; all where there are no names.
Result<std::vector<const spec::TestSpec*>> chosen(const spec::Pipeline& pipeline,
                                                  const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const auto& test : pipeline.tests) known.push_back(test.name);
  for (const auto& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    auto meant = did_you_mean(name, known);
    return fail(ErrorCode::kNotFound, "{} has no test '{}'{}", pipeline.file, name,
                meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
  }
  std::vector<const spec::TestSpec*> tests;
  for (const auto& test : pipeline.tests)
    if (names.empty() || std::ranges::find(names, test.name) != names.end()) tests.push_back(&test);
  return tests;
}

Result<int> run_tests(Session& session, const Asked& asked) {
  auto names = asked.words;
  std::string given;
  if (!names.empty() && is_file_name(names.front())) {
    given = names.front();
    names.erase(names.begin());
  }
  auto file = MR_TRY(choose_pipeline_file(given, "test"));
  auto checked = MR_TRY(check_file(file));
  const auto& loaded = checked->loaded;
  if (!loaded.ok()) {
    for (const auto& problem : loaded.problems) session.note(to_line(problem));
    return fail(ErrorCode::kInvalid, "{} is not right yet, so no test was run", file);
  }

  std::vector<rehearsal::Outcome> outcomes;
  auto& out = session.out();
  bool as_text = session.format() == Format::kText;
  for (const auto* test : MR_TRY(chosen(loaded.pipeline, names))) {
    outcomes.push_back(MR_TRY(checked->stage->run(*test)));
    if (as_text) MR_TRY(out.write(test_text(outcomes.back(), out.terminal())));
  }
  if (!as_text) MR_TRY(out.write(tests_json(file, outcomes)));
  MR_TRY(out.flush());
  auto failed =
      std::ranges::count_if(outcomes, [](const auto& outcome) { return !outcome.passed(); });
  if (outcomes.empty()) {
    session.note(fmt::format("{} has no tests; docs/testing.md shows how to write one", file));
  } else if (as_text) {
    session.note(fmt::format("{}, {}", count_of(std::ssize(outcomes), "test"),
                             failed == 0 ? "all passed" : fmt::format("{} failed", failed)));
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace

void add_test_command(Commands& commands) {
  auto asked = std::make_shared<Asked>();
  auto* app = commands.add(nullptr, "test", "Run the tests of a pipeline file, in memory",
                           [asked](Session& session) { return run_tests(session, *asked); });
  app->add_option("FILE NAME", asked->words,
                  "The pipeline file (without it the only one in this folder), then which tests");
}

}  // namespace millrace::cli
