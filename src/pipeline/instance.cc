#include "pipeline/instance.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "io/io.h"
#include "pipeline/data_directory.h"
#include "pipeline/dead_letters.h"
#include "pipeline/nodes.h"
#include "pipeline/plan.h"
#include "pipeline/retention.h"
#include "pipeline/source_cursor.h"
#include "sql/engine.h"

namespace millrace::pipeline {
namespace {

// DuckDB's memory for all nodes' batches.
constexpr size_t kBatchMemoryBytes = size_t{128} << 20;

// A second process gets this long to leave, as after a restart.
constexpr std::chrono::milliseconds kLockWait{2'000};

}  // namespace

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::kAtRest:
      return "at rest";
    case NodeState::kRunning:
      return "running";
    case NodeState::kWaiting:
      return "waiting";
    case NodeState::kStopped:
      return "stopped";
    case NodeState::kFinished:
      return "finished";
  }
  return "";
}

class Instance::Impl {
 public:
  Impl(Options options, Logger& logger, io::Clock& clock)
      : options_(std::move(options)), logger_(logger), clock_(clock) {}
  ~Impl() { (void)stop({}); }

  Result<void> open();
  Result<void> prepare(const spec::Pipeline& pipeline);
  Result<void> run_here(std::string_view node);
  Result<void> start(spec::Pipeline pipeline, bool once);
  Result<Changes> change(spec::Pipeline pipeline);
  Result<void> wait_until_finished(std::stop_token stop);
  Result<void> stop(std::chrono::milliseconds drain);
  std::vector<std::string> unfinished() const;
  Status status() const;
  Result<void> check_node(std::string_view node) const;
  Result<Redriven> redrive(std::string_view node, std::span<const DeadLetter> letters);
  Result<Produced> produce(log::Topic& topic, const Lines& lines);
  Result<std::vector<SourceLetters>> source_letters(std::string_view source) const;

  const Options& options() const { return options_; }
  log::Log& log() { return *log_; }
  store::Store& store() { return *store_; }
  io::Clock& clock() { return clock_; }

 private:
  void recover_pages();
  // With nodes_mutex_.
  Result<void> check_named(std::string_view node) const;
  Result<Plan> plan_of(const spec::Pipeline& pipeline);
  void run_retention();
  void end_retention();
  CursorFolder cursor_folder() const {
    return DataDirectory(*options_.disk, options_.data_dir).cursors();
  }
  std::vector<SourceStatus> sources_at_rest() const;
  std::vector<TableStatus> tables_at_rest() const;

  Options options_;
  Logger& logger_;
  io::Clock& clock_;
  std::optional<io::DirectoryLock> lock_;
  std::unique_ptr<log::Log> log_;
  std::unique_ptr<store::Store> store_;

  // Of the pipeline that runs. The engine outlives the nodes' transforms.
  std::unique_ptr<sql::Engine> engine_;
  bool once_ = false;
  std::atomic<bool> flushing_ = false;

  // Who only uses what follows shares it; who puts other nodes in their place has it alone.
  mutable std::shared_mutex nodes_mutex_;
  spec::Pipeline pipeline_;
  std::unique_ptr<Nodes> nodes_;
  std::mutex producers_mutex_;
  std::map<const log::Topic*, std::unique_ptr<Producer>> producers_;  // of topics no source feeds
  std::optional<Retention> retention_;                                // where a topic has one
  std::jthread retention_thread_;
  int64_t started_micros_ = 0;
  bool running_ = false;
};

Result<void> Instance::Impl::open() {
  auto& disk = *options_.disk;
  DataDirectory directory(disk, options_.data_dir);
  if (options_.read_only)
    MR_TRY(directory.check_format());
  else
    lock_ = MR_TRY(directory.make_and_lock(kLockWait));
  log_ = MR_TRY(log::Log::open(
      directory.log(), logger_,
      {.read_only = options_.read_only, .segment_bytes = options_.segment_bytes, .disk = &disk}));
  recover_pages();
  store_ = MR_TRY(store::Store::open(directory.store(), logger_,
                                     {.read_only = options_.read_only,
                                      .clock = &clock_,
                                      .write_each_commit = options_.write_each_commit,
                                      .disk = &disk}));
  return {};
}

// Before anyone reads a topic, or writes to it. A damaged one keeps no one from the others: its own
// nodes meet the error.
void Instance::Impl::recover_pages() {
  for (auto* topic : log_->topics()) {
    if (is_dead_letters_topic(topic->name())) continue;
    auto recovered = recover_page(*topic);
    if (!recovered)
      logger_.error("the newest page of a topic cannot be checked",
                    {{"topic", topic->name()}, {"error", recovered.error().message()}});
  }
}

Result<Plan> Instance::Impl::plan_of(const spec::Pipeline& pipeline) {
  std::vector<spec::Problem> problems;
  auto plan = make_plan(*engine_, pipeline, problems);
  for (const auto& problem : problems)
    if (problem.severity == spec::Problem::Severity::kError)
      return fail(ErrorCode::kInvalid, "{}: {}", spec::to_string(problem.place), problem.message);
  return plan;
}

Result<void> Instance::Impl::prepare(const spec::Pipeline& pipeline) {
  MR_CHECK(!engine_ && !options_.read_only);
  engine_ = MR_TRY(sql::Engine::open({.threads = 1, .memory_bytes = kBatchMemoryBytes}));
  auto plan = MR_TRY(plan_of(pipeline));
  auto nodes = std::make_unique<Nodes>(
      Nodes::Surroundings{*log_, *store_, cursor_folder(), logger_, clock_});
  MR_TRY(nodes->check(plan));
  MR_TRY(nodes->make(std::move(plan)));
  std::unique_lock lock(nodes_mutex_);
  pipeline_ = pipeline;
  nodes_ = std::move(nodes);
  return {};
}

Result<void> Instance::Impl::run_here(std::string_view node) {
  std::shared_lock lock(nodes_mutex_);
  MR_TRY(check_named(node));
  if (auto* source = nodes_->find_source(node)) return source->run(true, {});
  auto* table = nodes_->find_table(node);
  table->finish_when_caught_up();
  return table->run({});
}

Result<void> Instance::Impl::start(spec::Pipeline pipeline, bool once) {
  MR_TRY(prepare(pipeline));
  std::unique_lock lock(nodes_mutex_);
  once_ = once;
  run_retention();
  started_micros_ = clock_.monotonic_micros();
  running_ = true;
  nodes_->run(once);
  return {};
}

// What can be found wrong is found before any node is stopped.
Result<Changes> Instance::Impl::change(spec::Pipeline pipeline) {
  MR_CHECK(running_);
  if (once_) return fail(ErrorCode::kUnsupported, "a run with --once takes no other file");
  auto plan = MR_TRY(plan_of(pipeline));
  MR_TRY(nodes_->check(plan));
  // Whoever redrives is between two steps now.
  std::unique_lock lock(nodes_mutex_);
  end_retention();
  producers_.clear();
  auto changes = nodes_->change(std::move(plan));
  if (changes) pipeline_ = std::move(pipeline);
  run_retention();
  return changes;
}

void Instance::Impl::run_retention() {
  for (const auto& spec : pipeline_.topics) {
    log::Retention bounds{.time = spec.retention.time};
    if (spec.retention.bytes) bounds.bytes = static_cast<uint64_t>(*spec.retention.bytes);
    auto* topic = log_->find_topic(spec.name);
    if (topic == nullptr || (!bounds.time && !bounds.bytes)) continue;
    if (!retention_) retention_.emplace(*store_, logger_, clock_);
    retention_->keep(*topic, bounds);
  }
  if (!retention_) return;
  for (const auto* table : nodes_->tables())
    retention_->wait_for(table->name(), table->topic(),
                         [table](PartitionId partition) { return table->position(partition); });
  retention_thread_ =
      std::jthread([this](std::stop_token stop) { retention_->run(std::move(stop)); });
}

void Instance::Impl::end_retention() {
  retention_thread_ = {};
  retention_.reset();
}

Result<void> Instance::Impl::wait_until_finished(std::stop_token stop) {
  return nodes_->wait_until_finished(std::move(stop));
}

Result<void> Instance::Impl::stop(std::chrono::milliseconds drain) {
  {
    std::shared_lock lock(nodes_mutex_);
    if (!nodes_) return {};
    retention_thread_.request_stop();
    nodes_->stop(drain);
  }
  flushing_ = true;
  if (retention_thread_.joinable()) retention_thread_.join();
  auto flushed = store_->flush();
  flushing_ = false;
  std::unique_lock lock(nodes_mutex_);
  running_ = false;
  return flushed;
}

std::vector<std::string> Instance::Impl::unfinished() const {
  std::shared_lock lock(nodes_mutex_);
  auto names = nodes_ ? nodes_->running() : std::vector<std::string>();
  if (flushing_) names.emplace_back("writing the tables to disk");
  return names;
}

Result<void> Instance::Impl::check_node(std::string_view node) const {
  std::shared_lock lock(nodes_mutex_);
  return check_named(node);
}

Result<void> Instance::Impl::check_named(std::string_view node) const {
  std::vector<std::string> names;
  if (nodes_) {
    for (const auto* source : nodes_->sources()) names.push_back(source->name());
    for (const auto* table : nodes_->tables()) names.push_back(table->name());
  }
  if (std::ranges::find(names, node) != names.end()) return {};
  std::string near = did_you_mean(node, names);
  return fail(ErrorCode::kNotFound, "pipeline {} has no source or table '{}'{}", pipeline_.name,
              node, near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

Result<Redriven> Instance::Impl::redrive(std::string_view node,
                                         std::span<const DeadLetter> letters) {
  std::shared_lock lock(nodes_mutex_);
  MR_TRY(check_named(node));
  auto* source = nodes_->find_source(node);
  return source != nullptr ? source->redrive(letters) : nodes_->find_table(node)->redrive(letters);
}

Result<Produced> Instance::Impl::produce(log::Topic& topic, const Lines& lines) {
  std::shared_lock lock(nodes_mutex_);
  if (nodes_)
    for (auto* source : nodes_->sources())
      if (&source->topic() == &topic) return source->produce(lines);
  Producer* producer = nullptr;
  {
    std::scoped_lock making(producers_mutex_);
    auto& made = producers_[&topic];
    if (made == nullptr) made = MR_TRY(Producer::open(*log_, topic, cursor_folder(), clock_));
    producer = made.get();
  }
  return producer->produce(lines);
}

Result<std::vector<SourceLetters>> Instance::Impl::source_letters(std::string_view name) const {
  {
    std::shared_lock lock(nodes_mutex_);
    const auto* loop = nodes_ ? nodes_->find_source(name) : nullptr;
    if (loop != nullptr) return std::vector{loop->letters()};
  }
  std::vector<SourceLetters> all;
  for (auto* topic : log_->topics()) {
    if (is_dead_letters_topic(topic->name())) continue;
    auto found = MR_TRY(find_cursor(*topic, cursor_folder()));
    if (!found || found->source != name) continue;
    auto ledger = MR_TRY(SourceLedger::load(cursor_folder(), *topic, found->cursor.redriven));
    SourceLetters letters{.redriven = ledger.redriven(), .topic_id = to_string(topic->id())};
    Offset end = MR_TRY(DeadLetterWriter::find_page(*log_, name,
                                                    {.topic = name,
                                                     .partition = found->cursor.sequence + 1,
                                                     .offset = 0,
                                                     .fed = letters.topic_id}));
    letters.end = end.value;
    all.push_back(std::move(letters));
  }
  return all;
}

std::vector<SourceStatus> Instance::Impl::sources_at_rest() const {
  std::vector<SourceStatus> sources;
  for (auto* topic : log_->topics()) {
    if (is_dead_letters_topic(topic->name())) continue;
    auto found = find_cursor(*topic, cursor_folder());
    if (!found) {
      // Whose it is, only its cursor says.
      sources.push_back({.name = fmt::format("of {}", topic->name()),
                         .topic = topic->name(),
                         .error = found.error().message()});
      continue;
    }
    if (!*found || (*found)->source.empty()) continue;
    const auto& [name, cursor] = **found;
    sources.push_back({.name = name,
                       .topic = topic->name(),
                       .pages = cursor.sequence,
                       .items = cursor.items,
                       .records = cursor.records,
                       .filtered = cursor.filtered,
                       .dead_letters = cursor.dead_letters,
                       .redriven = cursor.redriven});
  }
  return sources;
}

std::vector<TableStatus> Instance::Impl::tables_at_rest() const {
  std::vector<TableStatus> tables;
  for (const auto& table : store_->tables()) {
    auto definition = table::definition_of(*table);
    std::string topic_name = definition ? definition->topic : "";
    auto* topic = log_->find_topic(topic_name);
    TableStatus status{.name = table->definition().full_name(), .topic = topic_name};
    if (topic == nullptr) {
      status.error = "its topic is gone";
    } else {
      std::vector<store::Progress> progress;
      for (int32_t i = 0; i < topic->partition_count(); ++i) {
        auto one = store_->progress(*table, topic->name(), PartitionId(i));
        if (!one) status.error = one.error().message();
        progress.push_back(one && *one ? **one : store::Progress{});
      }
      if (status.error.empty()) count(*store_, *table, *topic, progress, status);
    }
    tables.push_back(std::move(status));
  }
  return tables;
}

Status Instance::Impl::status() const {
  std::shared_lock lock(nodes_mutex_);
  Status status{.pipeline = pipeline_.name, .data_dir = options_.data_dir, .running = running_};
  if (running_) {
    status.uptime_ms = (clock_.monotonic_micros() - started_micros_) / 1'000;
    for (const auto* source : nodes_->sources()) status.sources.push_back(source->status());
    for (const auto* table : nodes_->tables()) status.tables.push_back(table->status());
  } else {
    status.sources = sources_at_rest();
    status.tables = tables_at_rest();
  }
  for (auto* topic : log_->topics()) {
    TopicStatus one{.name = topic->name(),
                    .partitions = topic->partition_count(),
                    .is_dead_letters = is_dead_letters_topic(topic->name())};
    if (retention_) one.retention_waits_for = retention_->waits_for(one.name);
    for (int32_t i = 0; i < one.partitions; ++i) {
      auto& partition = topic->partition(PartitionId(i));
      one.records += partition.end_offset() - partition.start_offset();
      one.bytes += partition.size_bytes();
    }
    status.topics.push_back(std::move(one));
  }
  return status;
}

Instance::Instance(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Instance::~Instance() = default;

Result<std::unique_ptr<Instance>> Instance::open(Options options, Logger& logger,
                                                 io::Clock& clock) {
  auto impl = std::make_unique<Impl>(std::move(options), logger, clock);
  MR_TRY(impl->open());
  return std::unique_ptr<Instance>(new Instance(std::move(impl)));
}

Result<void> Instance::prepare(const spec::Pipeline& pipeline) {
  return impl_->prepare(pipeline);
}
Result<void> Instance::run_here(std::string_view node) {
  return impl_->run_here(node);
}
Result<void> Instance::start(spec::Pipeline pipeline, bool once) {
  return impl_->start(std::move(pipeline), once);
}
Result<void> Instance::wait_until_finished(std::stop_token stop) {
  return impl_->wait_until_finished(std::move(stop));
}
Result<Changes> Instance::change(spec::Pipeline pipeline) {
  return impl_->change(std::move(pipeline));
}
Result<void> Instance::stop(std::chrono::milliseconds drain) {
  return impl_->stop(drain);
}
std::vector<std::string> Instance::unfinished() const {
  return impl_->unfinished();
}
Status Instance::status() const {
  return impl_->status();
}
Result<void> Instance::check_node(std::string_view node) const {
  return impl_->check_node(node);
}
Result<Redriven> Instance::redrive(std::string_view node, std::span<const DeadLetter> letters) {
  return impl_->redrive(node, letters);
}
Result<Produced> Instance::produce(log::Topic& topic, const Lines& lines) {
  return impl_->produce(topic, lines);
}
Result<void> Instance::load_value(DeadLetter& letter) const {
  if (letter.value_file.empty()) return {};
  auto path = fmt::format("{}/sources/{}", data_dir(), letter.value_file);
  letter.value = MR_TRY_IN(impl_->options().disk->read_file(path, limits::kResponseBytesLimit),
                           letter.address());
  return {};
}
Result<std::vector<SourceLetters>> Instance::source_letters(std::string_view source) const {
  return impl_->source_letters(source);
}
const std::string& Instance::data_dir() const {
  return impl_->options().data_dir;
}
log::Log& Instance::log() {
  return impl_->log();
}
store::Store& Instance::store() {
  return impl_->store();
}
io::Clock& Instance::clock() {
  return impl_->clock();
}

}  // namespace millrace::pipeline
