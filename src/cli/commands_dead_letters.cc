// dlq: what was refused, and why; and taking it again.
#include <memory>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "door/http/target.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

// Which dead letters; what is empty lets all through.
struct Filter {
  std::string node;
  std::string rule;
  std::string stage;

  void add_to(http::TargetBuilder& target) const {
    if (!node.empty()) target.parameter("node", node);
    if (!rule.empty()) target.parameter("rule", rule);
    if (!stage.empty()) target.parameter("stage", stage);
  }
};

struct List {
  Filter filter;
  bool closed_too = false;
  int64_t count = 20;
};

std::string nothing_found(const List& list) {
  std::string options;
  auto add = [&](std::string_view option, const std::string& value) {
    if (!value.empty()) options += fmt::format(" --{} {}", option, value);
  };
  add("node", list.filter.node);
  add("rule", list.filter.rule);
  add("stage", list.filter.stage);
  return fmt::format("{}{}{}",
                     list.closed_too ? "there are no dead letters" : "no dead letters are open",
                     options.empty() ? "" : " with", options);
}

std::string text_of(const Json& json, const char* name) {
  const auto& member = json.at(name);
  return member.is_null() ? "" : member.get<std::string>();
}

// "1,204 open: 1,200 of ks.users (expect has_email), 4 of users (decode)".
std::string summary_of(const Json& groups) {
  int64_t open = 0;
  int64_t closed = 0;
  std::string parts;
  for (const auto& group : groups) {
    auto count = group.at("open").get<int64_t>();
    open += count;
    closed += group.at("closed").get<int64_t>();
    if (count == 0) continue;
    auto rule = text_of(group, "rule");
    parts +=
        fmt::format("{}{} of {} ({}{}{})", parts.empty() ? ": " : ", ", with_thousands(count),
                    text_of(group, "node"), text_of(group, "stage"), rule.empty() ? "" : " ", rule);
  }
  auto text = fmt::format("{} open{}", with_thousands(open), parts);
  return closed == 0 ? text : fmt::format("{}; {} no longer open", text, with_thousands(closed));
}

Result<int> list_dead_letters(Session& session, const List& list) {
  auto client = MR_TRY(session.client());
  http::TargetBuilder target("/v1/dead-letters");
  target.parameter("limit", std::to_string(list.count));
  list.filter.add_to(target);
  if (list.closed_too) target.parameter("closed", "1");
  auto answer = MR_TRY(client.get(target.text()));
  JsonSlicer slicer;
  auto& out = session.out();
  auto letters = MR_TRY(slicer.elements(answer.json(), "dead_letters"));
  if (session.format() == Format::kJson) {
    for (auto letter : letters) MR_TRY(out.write(fmt::format("{}\n", letter)));
    return 0;
  }
  if (letters.empty()) {
    session.note(nothing_found(list));
    return 0;
  }
  std::vector<std::vector<Cell>> rows;
  for (auto text : letters) {
    auto letter = Json::parse(text);
    auto look = letter.at("open").get<bool>() ? Look::kPlain : Look::kDim;
    rows.push_back({{text_of(letter, "address"), look},
                    {text_of(letter, "timestamp"), look},
                    {text_of(letter, "stage"), look},
                    {text_of(letter, "rule"), look},
                    {printable(text_of(letter, "error")), look}});
    if (list.closed_too) rows.back().push_back({look == Look::kDim ? "no" : "yes", look});
  }
  std::vector<Column> columns = {
      {"ADDRESS", false, true}, {"TIME"}, {"STAGE"}, {"RULE"}, {"ERROR"}};
  if (list.closed_too) columns.push_back({"OPEN"});
  MR_TRY(print_table(columns, rows, out.terminal(), out.emit()));
  session.note(summary_of(Json::parse(MR_TRY(slicer.member(answer.json(), "groups")))));
  if (static_cast<int64_t>(letters.size()) == list.count) {
    session.note(fmt::format("the newest {}; -n shows more", list.count));
  }
  session.note(fmt::format("one of them, with its record: {} dlq show {}{}", session.program(),
                           rows.front().front().text, session.data_dir_option()));
  return 0;
}

std::string shown_lines(const std::string& raw, const Terminal& terminal) {
  if (Json::accept(raw)) return indented(raw);
  return terminal.is_terminal ? printable(raw) : raw;
}

Result<int> show_dead_letter(Session& session, const std::string& address) {
  auto client = MR_TRY(session.client());
  http::TargetBuilder target("/v1/dead-letters");
  for (std::string_view left = address; !left.empty();) {
    auto slash = left.find('/');
    target.piece(left.substr(0, slash));
    left = slash == left.npos ? "" : left.substr(slash + 1);
  }
  auto answer = MR_TRY(client.get(target.text()));
  auto& out = session.out();
  if (session.format() == Format::kJson) {
    MR_TRY(out.write(fmt::format("{}\n", answer.json())));
    return 0;
  }
  auto letter = Json::parse(answer.json());
  const auto& from = letter.at("from");
  auto node = text_of(letter, "node");
  auto topic = text_of(from, "topic");
  auto partition = from.at("partition").get<int64_t>();
  auto offset = from.at("offset").get<int64_t>();
  auto origin = topic == node
                    ? fmt::format("page {}, item {} of source {}", partition, offset, topic)
                    : fmt::format("topic {}, partition {}, offset {}", topic, partition, offset);
  auto line = [&](std::string_view name, std::string_view value) {
    auto label = paint(fmt::format("{:<8}", name), Look::kDim, out.terminal().colour);
    return value.empty() ? "" : fmt::format("{} {}\n", label, printable(value));
  };
  bool is_base64 = letter.contains("raw_base64");
  auto raw = text_of(letter, is_base64 ? "raw_base64" : "raw");
  MR_TRY(out.write(
      line("address", text_of(letter, "address")) + line("time", text_of(letter, "timestamp")) +
      line("node", node) + line("stage", text_of(letter, "stage")) +
      line("rule", text_of(letter, "rule")) + line("error", text_of(letter, "error")) +
      line("from", origin) + line("key", letter.contains("key") ? text_of(letter, "key") : "") +
      line("open", letter.at("open").get<bool>() ? "" : "no: redriven, or taken after all") +
      line("value", letter.contains("raw_file")
                        ? "in " + session.data_dir() + "/" + text_of(letter, "raw_file")
                        : "") +
      line("value", is_base64 ? "no UTF-8; as base64:" : "") + "\n" +
      shown_lines(raw, out.terminal()) + "\n"));
  return 0;
}

}  // namespace

void add_dead_letter_commands(Commands& commands) {
  auto* group =
      commands.add_group("dlq", "Dead letters: records that were refused, why, and once more");
  auto list = std::make_shared<List>();
  auto* listing =
      commands.add(group, "list", "Open dead letters, the newest first",
                   [list](Session& session) { return list_dead_letters(session, *list); });
  listing->add_option("NODE,--node", list->filter.node, "Only of this source or table");
  listing->add_option("--rule", list->filter.rule, "Only refused by this expectation")
      ->type_name("RULE");
  listing->add_option("--stage", list->filter.stage, "Only refused at this stage")
      ->type_name("decode|sql|expect")
      ->check(CLI::IsMember({"decode", "sql", "expect"}).description(""));
  listing->add_flag("--redriven", list->closed_too, "Also those that were redriven");
  listing->add_option("-n", list->count, "At most so many (20)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, static_cast<int64_t>(limits::kApiRecordsMax)).description(""));
  auto address = std::make_shared<std::string>();
  auto* show =
      commands.add(group, "show", "One dead letter with its raw record",
                   [address](Session& session) { return show_dead_letter(session, *address); });
  show->add_option("ADDRESS", *address, "NODE/PARTITION/OFFSET, as dlq list shows it")->required();
  add_redrive_command(commands, group);
}

}  // namespace millrace::cli
