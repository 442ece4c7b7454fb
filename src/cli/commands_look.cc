// status, tap, version.
#include <memory>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/status_text.h"
#include "door/http/target.h"

namespace millrace::cli {
namespace {

struct Tap {
  std::string node;
  int64_t count = 10;
};

Result<int> show_status(Session& session) {
  auto client = MR_TRY(session.client());
  auto answer = MR_TRY(client.get("/v1/status"));
  auto& out = session.out();
  if (session.format() == Format::kJson) {
    MR_TRY(out.write(fmt::format("{}\n", answer.json())));
    return 0;
  }
  MR_TRY(print_status(nlohmann::ordered_json::parse(answer.json()), out.terminal(), out.emit()));
  return 0;
}

// "users/0/17  ROW", a line for each row that the record made, or what became of it instead.
Result<std::string> tapped_lines(JsonSlicer& slicer, std::string_view tapped,
                                 const Terminal& terminal) {
  auto record = MR_TRY(slicer.member(tapped, "record"));
  auto address = fmt::format("{}/{}/{}", content_of(MR_TRY(slicer.member(record, "topic"))),
                             MR_TRY(slicer.member(record, "partition")),
                             MR_TRY(slicer.member(record, "offset")));
  address = paint(address, Look::kDim, terminal.colour);
  auto failure = MR_TRY(slicer.member(tapped, "failure"));
  auto rows = MR_TRY(slicer.elements(tapped, "rows"));
  std::string lines;
  for (auto row : rows) lines += fmt::format("{}  {}\n", address, printable(content_of(row)));
  if (failure != "null") {
    auto words = paint("refused: " + printable(content_of(failure)), Look::kBad, terminal.colour);
    lines += fmt::format("{}  {}\n", address, words);
  } else if (rows.empty()) {
    lines += fmt::format("{}  {}\n", address, paint("filtered", Look::kDim, terminal.colour));
  }
  return lines;
}

Result<int> tap(Session& session, const Tap& tap) {
  auto client = MR_TRY(session.client());
  auto target = http::TargetBuilder("/v1/tap").piece(tap.node);
  auto answer = MR_TRY(client.get(target.parameter("limit", std::to_string(tap.count)).text()));
  JsonSlicer slicer;
  auto& out = session.out();
  auto all = MR_TRY(slicer.elements(answer.json(), "tapped"));
  for (auto tapped : all) {
    auto lines = session.format() == Format::kJson
                     ? fmt::format("{}\n", tapped)
                     : MR_TRY(tapped_lines(slicer, tapped, out.terminal()));
    MR_TRY(out.write(lines));
  }
  MR_TRY(out.flush());
  if (all.empty()) session.note("no records yet: 'millrace status' says what its source does");
  return 0;
}

Result<int> show_version(Session& session) {
  auto text = session.format() == Format::kJson
                  ? nlohmann::json{{"version", session.version()}}.dump()
                  : fmt::format("millrace {}", session.version());
  MR_TRY(session.out().write(text + "\n"));
  return 0;
}

}  // namespace

void add_status_command(Commands& commands) {
  commands.add(nullptr, "status", "What runs, how fast, and where every record is", show_status);
}

void add_tap_command(Commands& commands) {
  auto given = std::make_shared<Tap>();
  auto* app = commands.add(
      nullptr, "tap", "The newest records of a node; of a table, what its SELECT makes of them",
      [given](Session& session) { return tap(session, *given); });
  app->add_option("NODE", given->node, "A source, a topic, or keyspace.table")->required();
  app->add_option("-n", given->count, "At most so many (10)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, static_cast<int64_t>(limits::kApiRecordsMax)).description(""));
}

void add_version_command(Commands& commands) {
  commands.add(nullptr, "version", "The version of this binary", show_version);
}

}  // namespace millrace::cli
