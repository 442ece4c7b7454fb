// up: runs a pipeline until it is asked to stop, or with --once until it is through.
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "cli/commands.h"
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

struct Up {
  std::string file;
  bool once = false;
};

// Runs one pipeline: makes all objects, and takes them down in the opposite order.
class Runner {
 public:
  Runner(Session& session, bool once)
      : session_(session),
        once_(once),
        view_(session.err()),
        logger_(is_shown() ? LogFormat::kText : LogFormat::kJson, LogLevel::kInfo,
                [this](std::string_view line) { view_.log(line); }) {}

  // Returns the exit status.
  Result<int> run(const std::string& file);

 private:
  bool is_shown() const { return session_.err().is_terminal; }
  Result<void> start(spec::Pipeline pipeline);
  void introduce(const std::string& file);
  void wait();
  void show();
  Result<int> stop();
  Json status() const;

  Session& session_;
  const bool once_;
  StopSignals signals_;  // before anything that starts threads
  LiveView view_;
  Logger logger_;
  io::SystemClock clock_;
  std::unique_ptr<pipeline::Instance> instance_;
  std::optional<http::Api> api_;
  std::unique_ptr<http::Server> server_;
  Result<void> finished_;  // how a run with --once ended
};

Result<int> Runner::run(const std::string& file) {
  auto loaded = MR_TRY(load_and_check(file));
  for (const auto& problem : loaded.problems) fmt::print(stderr, "{}\n", to_line(problem));
  if (!loaded.ok()) return 1;
  MR_TRY(start(std::move(loaded.pipeline)));
  introduce(file);
  wait();
  return stop();
}

Result<void> Runner::start(spec::Pipeline pipeline) {
  instance_ = MR_TRY(pipeline::Instance::open({.data_dir = session_.data_dir()}, logger_, clock_));
  MR_TRY(instance_->start(std::move(pipeline), once_));
  api_.emplace(*instance_, std::string(session_.version()));
  server_ = MR_TRY(http::Server::start(*api_, session_.data_dir(), logger_));
  return {};
}

Json Runner::status() const {
  return Json::parse(api_->handle({"GET", "/v1/status", "", {}}).body);
}

// What runs, where its data is, and how to look at it from another terminal.
void Runner::introduce(const std::string& file) {
  auto status = this->status();
  auto name = status["pipeline"].get<std::string>();
  if (!is_shown()) {
    logger_.info("running",
                 {{"pipeline", name}, {"file", file}, {"data_dir", session_.data_dir()}});
    return;
  }
  auto text = fmt::format("{}  {}, data in {}\n", name, file, session_.data_dir());
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
  auto woken = StopSignals::Woken::kTime;
  while (woken == StopSignals::Woken::kTime) {
    if (is_shown()) show();
    woken = signals_.wait(is_shown() ? kShowEvery : kLogEvery);
    if (woken == StopSignals::Woken::kTime && !is_shown()) show();
  }
  signals_.let_go();
  view_.clear();
  if (woken == StopSignals::Woken::kNotified) return;
  if (is_shown()) {
    session_.note("stopping; once more to stop without waiting");
  } else {
    logger_.info("stopping");
  }
  // That a run was ended early is no failure of it.
  waiter.request_stop();
  if (waiter.joinable()) waiter.join();
  finished_ = {};
}

void Runner::show() {
  auto status = this->status();
  if (is_shown()) {
    view_.show([&](const Terminal& terminal) { return live_lines(status, terminal); });
    return;
  }
  auto count = [](const Json& node, const char* name) {
    return std::to_string(node[name].get<int64_t>());
  };
  auto pipeline = status["pipeline"].get<std::string>();
  auto rate = [](const Json& node) {
    return fmt::format("{:.1f}", node["records_per_s"].get<double>());
  };
  for (const auto& source : status["sources"]) {
    logger_.info("status", {{"pipeline", pipeline},
                            {"node", source["name"].get<std::string>()},
                            {"state", source["state"].get<std::string>()},
                            {"records", count(source, "records")},
                            {"records_per_s", rate(source)},
                            {"dead_letters", count(source, "dead_letters")}});
  }
  for (const auto& table : status["tables"]) {
    logger_.info("status", {{"pipeline", pipeline},
                            {"node", table["name"].get<std::string>()},
                            {"state", table["state"].get<std::string>()},
                            {"written", count(table, "written")},
                            {"records_per_s", rate(table)},
                            {"lag", count(table, "waiting")},
                            {"dead_letters", count(table, "dead_letters")}});
  }
}

Result<int> Runner::stop() {
  server_.reset();
  auto uptime_ms = status()["uptime_ms"].get<int64_t>();
  auto stopped = instance_->stop();
  auto sums = status();
  if (is_shown()) {
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
                           [up](Session& session) -> Result<int> {
                             auto file = MR_TRY(choose_pipeline_file(up->file, "up"));
                             Runner runner(session, up->once);
                             return runner.run(file);
                           });
  app->add_option("FILE", up->file, "The pipeline file; without it the only one in this folder");
  app->add_flag(
      "--once", up->once,
      "One run of each source, stop when all tables have caught up; fails where a source did");
}

}  // namespace millrace::cli
