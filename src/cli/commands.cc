#include "cli/commands.h"

#include <csignal>
#include <map>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/completion.h"

namespace millrace::cli {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kNotUnderstood = 2;

// The command that the arguments before the one not understood name.
CLI::App* deepest(CLI::App* app) {
  for (auto below = app->get_subcommands(); !below.empty(); below = app->get_subcommands())
    app = below.front();
  return app;
}

std::vector<std::string> names_in(const CLI::App* app) {
  std::vector<std::string> names;
  for (const auto* command : app->get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App* app) {
  std::vector<std::string> names;
  for (const auto* option : app->get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::string words_for(const CLI::App* app, const CLI::ParseError& error) {
  auto names = names_in(app);
  auto remaining = app->remaining();
  if (remaining.empty()) {
    if (names.empty()) return error.what();
    return fmt::format("a command is missing: {}", fmt::join(names, ", "));
  }
  const auto& word = remaining.front();
  bool is_option = word.starts_with('-');
  if (!is_option && names.empty()) return fmt::format("'{}' is one argument too many", word);
  auto meant = did_you_mean(word, is_option ? options_of(app) : names);
  return fmt::format("there is no {} '{}'{}", is_option ? "option" : "command", word,
                     meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
}

// Libraries throw where an answer is not what this version expects.
Result<int> run_guarded(const Commands::Run& run, Session& session) {
  try {
    return run(session);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kCorrupt,
                "an answer that makes no sense ({}); does another version of "
                "millrace run there?",
                error.what());
  }
}

}  // namespace

Commands::Commands() {
  // Exactly one: the arguments of a command are then never taken for another command.
  app_.require_subcommand(1);
  auto formatter = app_.get_formatter();
  formatter->column_width(34);
  formatter->label("SUBCOMMAND", "COMMAND");
  formatter->label("Subcommands", "Commands");
  formatter->label("REQUIRED", "");
  formatter->label("TEXT", "");
  add_common_options(app_, true);
  app_.add_flag("--version", version_asked_, "Print the version");
}

void Commands::add_common_options(CLI::App& app, bool has_csv) {
  app.add_option("--data-dir", given_.data_dir,
                 "Where the data is (default: $MILLRACE_DATA_DIR, else ./millrace-data)")
      ->type_name("DIR");
  std::map<std::string, Format> formats = {{"text", Format::kText}, {"json", Format::kJson}};
  if (has_csv) formats["csv"] = Format::kCsv;
  app.add_option("-o,--output", given_.format, "How to print: text or json, of sql also csv")
      ->type_name(has_csv ? "text|json|csv" : "text|json")
      ->transform(CLI::CheckedTransformer(formats).description(""));
  app.add_flag("--no-color", given_.no_color, "No colours (nor with NO_COLOR set)");
}

CLI::App* Commands::add_group(const std::string& name, const std::string& doc) {
  auto* group = app_.add_subcommand(name, doc);
  group->require_subcommand(1);
  add_common_options(*group, true);
  return group;
}

CLI::App* Commands::add(CLI::App* group, const std::string& name, const std::string& doc, Run run,
                        bool has_csv) {
  auto* command = (group == nullptr ? &app_ : group)->add_subcommand(name, doc);
  add_common_options(*command, has_csv);
  commands_.push_back({command, std::move(run), has_csv});
  return command;
}

int Commands::misunderstood(const CLI::ParseError& error) {
  Session session(given_, "millrace", "");
  auto* app = deepest(&app_);
  std::string name = app == &app_ ? "" : app->get_name() + " ";
  for (auto* above = app->get_parent(); above != nullptr && above != &app_;
       above = above->get_parent())
    name = above->get_name() + " " + name;
  session.complain(words_for(app, error));
  session.note(fmt::format("see: millrace {}--help", name));
  return kNotUnderstood;
}

// What the shells' scripts ask. It is no command of the tree that it looks at.
int Commands::answer_completion(std::span<char*> words, std::string_view version) {
  try {
    std::vector<std::string> typed(words.begin(), words.end());
    fmt::print("{}", complete(app_, typed, version));
  } catch (const std::exception&) {
    return kFailed;  // an answer of another version; nobody waits for a message here
  }
  return kDone;
}

int Commands::run(int argc, char** argv, std::string_view version) {
  if (argc > 2 && std::string_view(argv[1]) == "complete")
    return answer_completion({argv + 2, argv + argc}, version);
  try {
    app_.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    app_.exit(asked);
    return kDone;
  } catch (const CLI::ParseError& error) {
    if (!version_asked_) return misunderstood(error);
    fmt::print("millrace {}\n", version);
    return kDone;
  }
  Session session(given_, argv[0], version);
  for (const auto& command : commands_) {
    if (!command.app->parsed()) continue;
    if (session.format() == Format::kCsv && !command.has_csv) {
      session.complain("only sql prints csv: -o text or -o json");
      return kNotUnderstood;
    }
    auto status = run_guarded(command.run, session);
    auto flushed = session.out().flush();
    if (status && !flushed) status = std::unexpected(flushed.error());
    if (status) return *status;
    if (status.error().code() == ErrorCode::kCancelled) return kDone;
    session.complain(status.error().message());
    return kFailed;
  }
  return kNotUnderstood;
}

int run(int argc, char** argv, std::string_view version) {
  std::signal(SIGPIPE, SIG_IGN);
  use_unicode_widths();
  Commands commands;
  add_up_command(commands);
  add_file_commands(commands);
  add_infer_command(commands);
  add_init_command(commands);
  add_test_command(commands);
  add_status_command(commands);
  add_sql_command(commands);
  add_topic_commands(commands);
  add_tap_command(commands);
  add_dead_letter_commands(commands);
  add_table_commands(commands);
  add_doctor_command(commands);
  add_completion_command(commands);
  add_version_command(commands);
  return commands.run(argc, argv, version);
}

}  // namespace millrace::cli
