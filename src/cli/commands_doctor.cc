// doctor: what is wrong with the machine and the data directory, and what mends it.
#include <chrono>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/confirm.h"
#include "cli/findings_text.h"
#include "cli/live_view.h"
#include "cli/machine.h"
#include "door/http/target.h"
#include "io/io.h"
#include "pipeline/checkup.h"
#include "pipeline/topic_cut.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::json;
using pipeline::Finding;
using pipeline::Verdict;

constexpr std::string_view kPart = "data directory";

struct Wish {
  std::string place;  // "": nothing is to be cut
  bool yes = false;
};

// Shows what is being read, now and then.
class ReadingView {
 public:
  explicit ReadingView(const Terminal& terminal) : terminal_(terminal), view_(terminal) {}
  ~ReadingView() { view_.clear(); }

  void show(const std::string& what, uint64_t bytes) {
    constexpr std::chrono::milliseconds kEvery{100};
    auto now = std::chrono::steady_clock::now();
    if (!terminal_.is_terminal || now - shown_ < kEvery) return;
    shown_ = now;
    view_.show([&](const Terminal&) {
      return std::vector{fmt::format("reading {}  {}", what, bytes > 0 ? format_bytes(bytes) : "")};
    });
  }

 private:
  Terminal terminal_;
  LiveView view_;
  std::chrono::steady_clock::time_point shown_;
};

// The topics of the process that has the data directory.
Result<std::vector<pipeline::LiveTopic>> live_topics(Session& session) {
  auto client = MR_TRY(session.client());
  if (!client.is_live())
    return fail(ErrorCode::kUnavailable, "the process that had it has just ended: try again");
  std::vector<pipeline::LiveTopic> topics;
  auto answer = MR_TRY(client.get("/v1/topics"));
  auto list = Json::parse(answer.json());
  for (const auto& each : list.at("topics")) {
    pipeline::LiveTopic topic{.name = each.at("name").get<std::string>(), .partitions = {}};
    auto described = MR_TRY(client.get(http::TargetBuilder("/v1/topics").piece(topic.name).text()));
    auto description = Json::parse(described.json());
    for (const auto& partition : description.at("partitions"))
      topic.partitions.push_back({Offset(partition.at("start_offset").get<int64_t>()),
                                  Offset(partition.at("end_offset").get<int64_t>())});
    topics.push_back(std::move(topic));
  }
  return topics;
}

void check_data(Session& session, const pipeline::DataDirectory& directory,
                const pipeline::CheckupOptions& options, std::vector<Finding>& findings) {
  ReadingView view(session.err());
  auto watched = options;
  watched.progress = [&](const std::string& what, uint64_t bytes) { view.show(what, bytes); };
  Logger logger(LogFormat::kText, LogLevel::kError, [](std::string_view) {});
  io::SystemClock clock;
  auto found = pipeline::check_up(directory, watched, logger, clock);
  std::ranges::move(found, std::back_inserter(findings));
}

void check_directory(Session& session, std::vector<Finding>& findings) {
  auto add = [&](std::string subject, Verdict verdict, std::string text) {
    findings.push_back({.part = std::string(kPart),
                        .subject = std::move(subject),
                        .verdict = verdict,
                        .text = std::move(text),
                        .mends = {}});
  };
  pipeline::DataDirectory directory(io::system_disk(), session.data_dir());
  auto there = directory.exists();
  if (there && !*there)
    return add(
        "folder", Verdict::kOk,
        fmt::format("there is no data in {} yet: 'millrace up FILE' makes it", session.data_dir()));
  findings.push_back(examine_folder(session.data_dir()));
  auto format = directory.check_format();
  if (!format) return add("format", Verdict::kError, format.error().message());
  add("format", Verdict::kOk, "of this version");

  auto lock = directory.lock();
  pipeline::CheckupOptions options;
  if (!lock && lock.error().code() == ErrorCode::kConflict) {
    auto topics = live_topics(session);
    const auto& holder = lock.error().message();
    add("use", Verdict::kOk, holder.substr(0, holder.find(';')));
    if (!topics) return add("topics", Verdict::kSkipped, topics.error().message());
    options.live = *std::move(topics);
  } else if (!lock) {
    add("use", Verdict::kError, lock.error().message());
  } else {
    add("use", Verdict::kOk, "no process has it");
  }
  check_data(session, directory, options, findings);
}

Result<int> examine(Session& session) {
  auto findings = examine_machine(session.data_dir(), session.version());
  check_directory(session, findings);
  return print_findings(session, findings);
}

Result<int> cut(Session& session, const Wish& wish) {
  auto place = MR_TRY(pipeline::parse_topic_place(wish.place));
  pipeline::DataDirectory directory(io::system_disk(), session.data_dir());
  auto lock = MR_TRY(directory.lock());
  Logger logger(LogFormat::kText, LogLevel::kError);
  io::SystemClock clock;
  auto plan = MR_TRY(pipeline::TopicCut::plan(directory, place, logger, clock));
  MR_TRY(confirm(session, plan.words(), wish.yes));
  MR_TRY(plan.carry_out());
  if (session.format() == Format::kJson)
    MR_TRY(session.out().write(Json{{"did", plan.words()}}.dump() + "\n"));
  session.note("done");
  return 0;
}

}  // namespace

void add_doctor_command(Commands& commands) {
  auto wish = std::make_shared<Wish>();
  auto* app =
      commands.add(nullptr, "doctor", "What is wrong with machine and data, and what mends it",
                   [wish](Session& session) {
                     return wish->place.empty() ? examine(session) : cut(session, *wish);
                   });
  app->add_option("--truncate", wish->place, "Remove a topic's records from this place on")
      ->type_name("TOPIC/PARTITION/OFFSET");
  app->add_flag("--yes", wish->yes, "With --truncate: do not ask");
}

}  // namespace millrace::cli
