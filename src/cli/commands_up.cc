// up: runs a pipeline until it is asked to stop, or with --once until it is through.
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/live_lines.h"
#include "cli/live_view.h"
#include "cli/pipeline_file.h"
#include "cli/signals.h"
#include "cli/status_text.h"
#include "door/http/http.h"
#include "io/clock.h"
#include "pipeline/instance.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kShowEvery{1'000};
constexpr std::chrono::milliseconds kLogEvery{10'000};

constexpr std::string_view kWarned = "a warning about the pipeline file";
constexpr std::string_view kWrong = "an error in the pipeline file";
constexpr std::string_view kNotTaken =
    "the pipeline file was not taken; all goes on by the old one";

struct Up {
  std::string file;
  bool once = false;
  std::optional<LogFormat> log;  // not given: a view on a terminal, JSON lines elsewhere
};

LogFormat format_of(const Up& up, const Terminal& terminal) {
  return up.log.value_or(terminal.is_terminal ? LogFormat::kText : LogFormat::kJson);
}

// Runs one pipeline: makes all objects, and takes them down in the opposite order.
class Runner {
 public:
  Runner(Session& session, const Up& up)
      : session_(session),
        once_(up.once),
        is_shown_(session.err().can_redraw && !up.log),
        file_(up.file),
        view_(session.err()),
        log_format_(format_of(up, session.err())),
        logger_(log_format_, LogLevel::kInfo, [this](std::string_view line) { view_.log(line); }) {}

  // Returns the exit status. An error is left to the caller only where the log is for people.
  Result<int> run();

 private:
  enum class Stage : uint8_t { kStarting, kRunning, kClosing };

  Result<int> run_file();
  Result<void> start(spec::Pipeline pipeline);
  void introduce();
  void wait();
  void log_problem(const spec::Problem& problem, std::string_view message);
  void reload();
  void show();
  void log_status(const Json& status);
  void say_what_hangs();
  Result<int> stop();
  Json status() const;

  Session& session_;
  const bool once_;
  const bool is_shown_;
  std::string file_;
  std::atomic<Stage> stage_ = Stage::kStarting;
  // Before anything that starts threads; to the end of everything.
  Signals signals_{limits::kStopMax, [this] { say_what_hangs(); }};
  LiveView view_;
  const LogFormat log_format_;
  Logger logger_;
  io::SystemClock clock_;
  std::unique_ptr<pipeline::Instance> instance_;
  std::optional<http::Api> api_;
  std::unique_ptr<http::Server> server_;
  Result<void> finished_;   // how a run with --once ended
  bool was_asked_ = false;  // to stop
};

Result<int> Runner::run() {
  auto status = run_file();
  if (status || log_format_ == LogFormat::kText) return status;
  if (status.error().code() == ErrorCode::kCancelled) return status;
  logger_.error("failed", {{"error", status.error().message()}});
  return 1;
}

Result<int> Runner::run_file() {
  file_ = MR_TRY(choose_pipeline_file(file_, "up"));
  auto loaded = MR_TRY(load_and_check(file_));
  for (const auto& problem : loaded.problems) {
    bool is_error = problem.severity == spec::Problem::Severity::kError;
    if (loaded.ok() || log_format_ == LogFormat::kJson)
      log_problem(problem, is_error ? kWrong : kWarned);
    else
      session_.say(to_line(problem));
  }
  if (!loaded.ok()) return 1;
  MR_TRY(start(std::move(loaded.pipeline)));
  introduce();
  wait();
  return stop();
}

Result<void> Runner::start(spec::Pipeline pipeline) {
  instance_ = MR_TRY(pipeline::Instance::open({.data_dir = session_.data_dir()}, logger_, clock_));
  MR_TRY(instance_->start(std::move(pipeline), once_));
  api_.emplace(*instance_, std::string(session_.version()));
  server_ = MR_TRY(http::Server::start(*api_, session_.data_dir(), logger_));
  stage_ = Stage::kRunning;
  return {};
}

Json Runner::status() const {
  return Json::parse(api_->handle({"GET", "/v1/status", "", {}}).body);
}

// What runs, where its data is, and how to look at it from another terminal.
void Runner::introduce() {
  auto status = this->status();
  auto name = status["pipeline"].get<std::string>();
  if (!is_shown_) {
    logger_.info("running",
                 {{"pipeline", name}, {"file", file_}, {"data_dir", session_.data_dir()}});
    return;
  }
  auto text = fmt::format("{}  {}, data in {}\n", name, file_, session_.data_dir());
  for (const auto& source : status["sources"]) {
    text += fmt::format("  {} → {}\n", source["name"].get<std::string>(),
                        source["topic"].get<std::string>());
  }
  for (const auto& table : status["tables"]) {
    text += fmt::format("  {} → {}\n", table["topic"].get<std::string>(),
                        table["name"].get<std::string>());
  }
  const auto& readable = status["tables"].empty() ? status["topics"] : status["tables"];
  if (!readable.empty()) {
    text += fmt::format("look:  {} sql{} \"SELECT count(*) FROM {}\"\n", session_.program(),
                        session_.data_dir_option(), readable[0]["name"].get<std::string>());
  }
  text += fmt::format("       {} status{}\nstop:  Ctrl-C\n\n", session_.program(),
                      session_.data_dir_option());
  view_.log(text);
}

void Runner::wait() {
  std::jthread waiter;
  if (once_) {
    waiter = std::jthread([this](std::stop_token stop) {
      finished_ = instance_->wait_until_finished(std::move(stop));
      signals_.notify();
    });
  }
  auto woken = Signals::Woken::kTime;
  while (woken != Signals::Woken::kStop && woken != Signals::Woken::kNotified) {
    if (is_shown_) show();
    woken = signals_.wait(is_shown_ ? kShowEvery : kLogEvery);
    if (woken == Signals::Woken::kTime && !is_shown_) log_status(status());
    if (woken == Signals::Woken::kReload) reload();
  }
  view_.clear();
  was_asked_ = woken == Signals::Woken::kStop;
  if (!was_asked_) return;
  if (is_shown_) {
    session_.note("stopping; once more to stop without waiting");
  } else {
    logger_.info("stopping");
  }
  // That a run was ended early is no failure of it.
  waiter.request_stop();
  if (waiter.joinable()) waiter.join();
  finished_ = {};
}

void Runner::log_problem(const spec::Problem& problem, std::string_view message) {
  bool is_error = problem.severity == spec::Problem::Severity::kError;
  logger_.write(is_error ? LogLevel::kError : LogLevel::kWarning, message,
                {{"place", spec::to_string(problem.place)}, {"error", problem.message}});
}

// Takes the file as it is now, or says why not.
void Runner::reload() {
  auto loaded = load_and_check(file_);
  if (!loaded) {
    logger_.error(kNotTaken, {{"file", file_}, {"error", loaded.error().message()}});
    return;
  }
  for (const auto& problem : loaded->problems)
    log_problem(problem, loaded->ok() ? kWarned : kNotTaken);
  if (!loaded->ok()) return;
  auto changes = instance_->change(std::move(loaded->pipeline));
  if (!changes) {
    logger_.error(kNotTaken, {{"file", file_}, {"error", changes.error().message()}});
    return;
  }
  auto list = [](const std::vector<std::string>& names) {
    return names.empty() ? std::string("none") : fmt::format("{}", fmt::join(names, ", "));
  };
  logger_.info("the pipeline file was taken",
               {{"file", file_},
                {"started", list(changes->started)},
                {"restarted", list(changes->restarted)},
                {"stopped", list(changes->stopped)},
                {"unchanged", static_cast<int64_t>(changes->unchanged)}});
}

void Runner::show() {
  auto status = this->status();
  view_.show([&](const Terminal& terminal) { return live_lines(status, terminal); });
}

void Runner::log_status(const Json& status) {
  auto pipeline = status["pipeline"].get<std::string>();
  auto text = [](const Json& node, const char* name) { return node[name].get<std::string>(); };
  auto count = [](const Json& node, const char* name) { return node[name].get<int64_t>(); };
  auto rate = [](const Json& node) {
    return std::round(node["records_per_s"].get<double>() * 10) / 10;
  };
  for (const auto& source : status["sources"]) {
    logger_.info("status", {{"pipeline", pipeline},
                            {"node", text(source, "name")},
                            {"state", text(source, "state")},
                            {"records", count(source, "records")},
                            {"records_per_s", rate(source)},
                            {"dead_letters", count(source, "dead_letters")}});
  }
  for (const auto& table : status["tables"]) {
    logger_.info("status", {{"pipeline", pipeline},
                            {"node", text(table, "name")},
                            {"state", text(table, "state")},
                            {"records", count(table, "records_in") - count(table, "waiting")},
                            {"records_per_s", rate(table)},
                            {"lag", count(table, "waiting")},
                            {"rows", count(table, "written")},
                            {"dead_letters", count(table, "dead_letters")}});
  }
}

void Runner::say_what_hangs() {
  std::vector<std::string> unfinished;
  if (stage_ == Stage::kStarting) unfinished.emplace_back("opening the data directory");
  if (stage_ == Stage::kRunning) unfinished = instance_->unfinished();
  if (stage_ == Stage::kClosing) unfinished.emplace_back("closing the data directory");
  if (unfinished.empty()) unfinished.emplace_back("answers of the API");
  logger_.error("ended by force, for it did not stop in 5s; nothing acknowledged is lost",
                {{"unfinished", fmt::format("{}", fmt::join(unfinished, ", "))}});
}

Result<int> Runner::stop() {
  server_.reset();
  auto uptime_ms = status()["uptime_ms"].get<int64_t>();
  auto stopped = instance_->stop(limits::kDrainMax);
  auto sums = status();
  stage_ = Stage::kClosing;
  if (!stopped && was_asked_) {
    logger_.error("not all rows are on disk; the next start takes them from their topics again",
                  {{"error", stopped.error().message()}});
    stopped = {};
  }
  if (is_shown_) {
    session_.note(
        fmt::format("ran for {}; data in {}\n", span_text(uptime_ms), session_.data_dir()));
  } else {
    logger_.info("stopped");
  }
  auto& out = session_.out();
  if (session_.format() == Format::kJson) {
    MR_TRY(out.write(sums.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"));
  } else {
    MR_TRY(print_summary(sums, out.terminal(), out.emit()));
  }
  MR_TRY(out.flush());
  MR_TRY(std::move(stopped));
  MR_TRY(std::move(finished_));
  return is_balanced(sums) ? 0 : 1;
}

}  // namespace

void add_up_command(Commands& commands) {
  auto up = std::make_shared<Up>();
  auto* app = commands.add(nullptr, "up", "Run a pipeline until Ctrl-C",
                           [up](Session& session) { return Runner(session, *up).run(); });
  app->add_option("FILE", up->file, "The pipeline file; without it the only one in this folder");
  app->add_flag("--once", up->once,
                "One run of each source, stop when all tables have caught up; fails where a source "
                "or table did");
  static const std::map<std::string, LogFormat> kFormats = {{"text", LogFormat::kText},
                                                            {"json", LogFormat::kJson}};
  app->add_option("--log", up->log,
                  "Log lines as text or json; without it a view on a terminal, json elsewhere")
      ->type_name("text|json")
      ->transform(CLI::CheckedTransformer(kFormats).description(""));
}

}  // namespace millrace::cli
