#include "cli/completion.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/session.h"
#include "door/http/target.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

// Dead letters whose addresses are offered, the newest.
constexpr size_t kAddresses = 50;

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

// What stands in the command line, as far as it goes.
struct Place {
  CLI::App* app;                          // the command
  const CLI::Option* value_of = nullptr;  // whose value is being typed
  size_t arguments = 0;                   // of the command, before the word being typed
  std::string data_dir;
};

CLI::App* find_command(CLI::App& app, const std::string& name) {
  auto commands = app.get_subcommands([&](CLI::App* each) { return each->check_name(name); });
  return commands.empty() ? nullptr : commands.front();
}

Place find_place(CLI::App& root, std::span<const std::string> words) {
  Place place{.app = &root};
  for (const auto& word : words) {
    // As bash takes "--data-dir=DIR" apart.
    if (word == "=") continue;
    if (const auto* before = std::exchange(place.value_of, nullptr)) {
      if (before->check_lname("data-dir")) place.data_dir = word;
    } else if (word.starts_with('-') && word != "-") {
      auto name = word.substr(0, word.find('='));
      const auto* option = place.app->get_option_no_throw(name);
      if (option == nullptr || !takes_value(*option)) continue;
      if (name.size() == word.size())
        place.value_of = option;
      else if (name == "--data-dir")
        place.data_dir = word.substr(name.size() + 1);
    } else if (auto* command = find_command(*place.app, word)) {
      place.app = command;
    } else {
      ++place.arguments;
    }
  }
  return place;
}

// The argument that comes after so many.
const CLI::Option* argument(const CLI::App& app, size_t before) {
  for (const auto* option : app.get_options()) {
    if (!option->get_positional()) continue;
    auto most = static_cast<size_t>(option->get_items_expected_max());
    if (before < most) return option;
    before -= most;
  }
  return nullptr;
}

class Candidates {
 public:
  Candidates(std::string_view before, std::string_view typed) : before_(before), typed_(typed) {}

  void add(std::string_view name, std::string_view doc = "") {
    if (!name.starts_with(typed_)) return;
    lines_ += before_;
    lines_ += name;
    if (!doc.empty()) lines_ += fmt::format("\t{}", doc);
    lines_ += '\n';
  }
  void ask(std::string_view shell) { lines_ += fmt::format("{}\n", shell); }
  std::string take() { return std::move(lines_); }

 private:
  std::string_view before_;
  std::string_view typed_;
  std::string lines_;
};

void add_commands(const CLI::App& app, Candidates& candidates) {
  for (const auto* command : app.get_subcommands({}))
    candidates.add(command->get_name(), command->get_description());
}

void add_options(const CLI::App& app, Candidates& candidates) {
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames())
      candidates.add("--" + name, option->get_description());
    if (!option->get_lnames().empty()) continue;
    for (const auto& name : option->get_snames())
      candidates.add("-" + name, option->get_description());
  }
}

// Names that a data directory has.
class Names {
 public:
  Names(const std::string& data_dir, std::string_view version, Candidates& candidates)
      : session_({.data_dir = data_dir}, "", version), candidates_(candidates) {}

  Result<void> topics() { return of_status("topics"); }
  Result<void> tables() { return of_status("tables"); }
  Result<void> nodes() {
    MR_TRY(of_status("sources"));
    return tables();
  }
  Result<void> rules() {
    auto letters = MR_TRY(get("/v1/dead-letters?limit=1"));
    for (const auto& group : letters.at("groups"))
      if (auto rule = text(group, "rule"); !rule.empty())
        candidates_.add(rule, text(group, "node"));
    return {};
  }
  Result<void> addresses() {
    auto letters = MR_TRY(get(fmt::format("/v1/dead-letters?limit={}", kAddresses)));
    for (const auto& letter : letters.at("dead_letters"))
      candidates_.add(text(letter, "address"), text(letter, "stage") + " " + text(letter, "rule"));
    return {};
  }

 private:
  Result<void> of_status(const char* kind) {
    auto status = MR_TRY(get("/v1/status"));
    for (const auto& one : status.at(kind)) candidates_.add(text(one, "name"));
    return {};
  }
  static std::string text(const Json& json, const char* name) {
    return json.at(name).get<std::string>();
  }
  Result<Json> get(const std::string& target) {
    auto client = MR_TRY(session_.client());
    auto answer = MR_TRY(client.get(target));
    return Json::parse(answer.json());
  }

  Session session_;
  Candidates& candidates_;
};

void add_values(const CLI::Option& option, Names& names, Candidates& candidates) {
  bool is_argument = option.get_positional();
  auto type = is_argument ? option.get_name(true) : option.get_type_name();
  // Nobody waits for a message here.
  if (type == "TOPIC") return (void)names.topics();
  if (type == "TABLE") return (void)names.tables();
  if (type == "NODE") return (void)names.nodes();
  if (type == "RULE") return (void)names.rules();
  if (type == "ADDRESS") return (void)names.addresses();
  if (type == "DIR") return candidates.ask(":folders");
  if (type == "FILE" && !is_argument) return candidates.ask(":files");
  if (type.starts_with("FILE")) return candidates.ask(":files .yaml");
  if (type == "FROM") return candidates.ask(":files");
  if (type.find('|') == std::string::npos) return;
  for (std::string_view left = type; !left.empty();) {
    auto choice = left.substr(0, left.find('|'));
    candidates.add(choice);
    left.remove_prefix(std::min(left.size(), choice.size() + 1));
  }
}

}  // namespace

std::string complete(CLI::App& app, std::span<const std::string> words, std::string_view version) {
  if (words.empty()) return "";
  auto place = find_place(app, words.first(words.size() - 1));
  std::string_view typed = words.back();
  std::string_view before;  // of the word, that is no part of what is looked for
  auto equals = typed.find('=');
  if (typed == "=") {
    typed = "";
  } else if (typed.starts_with("--") && equals != typed.npos) {
    place.value_of = place.app->get_option_no_throw(std::string(typed.substr(0, equals)));
    if (place.value_of == nullptr) return "";
    before = typed.substr(0, equals + 1);
    typed.remove_prefix(equals + 1);
  }
  Candidates candidates(before, typed);
  Names names(place.data_dir, version, candidates);
  if (place.value_of != nullptr) {
    add_values(*place.value_of, names, candidates);
  } else if (typed.starts_with('-')) {
    add_options(*place.app, candidates);
  } else {
    add_commands(*place.app, candidates);
    if (const auto* next = argument(*place.app, place.arguments))
      add_values(*next, names, candidates);
  }
  return candidates.take();
}

}  // namespace millrace::cli
