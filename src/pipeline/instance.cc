#include "pipeline/instance.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <optional>
#include <thread>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "io/io.h"
#include "pipeline/data_directory.h"
#include "pipeline/dead_letters.h"
#include "pipeline/ingest_loop.h"
#include "pipeline/plan.h"
#include "pipeline/retention.h"
#include "pipeline/source_cursor.h"
#include "pipeline/table_loop.h"
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
  ~Impl() { (void)stop(); }

  Result<void> open();
  Result<void> prepare(const spec::Pipeline& pipeline);
  Result<void> start(spec::Pipeline pipeline, bool once);
  Result<void> wait_until_finished(std::stop_token stop);
  Result<void> stop();
  Status status() const;
  Result<void> check_node(std::string_view node) const;
  Result<Redriven> redrive(std::string_view node, std::span<const DeadLetter> letters);
  Result<std::optional<SourceLetters>> source_letters(std::string_view source) const;

  const Options& options() const { return options_; }
  log::Log& log() { return *log_; }
  store::Store& store() { return *store_; }
  io::Clock& clock() { return clock_; }

 private:
  Result<void> make_nodes(Plan plan);
  IngestLoop* find_source(std::string_view name) const;
  TableLoop* find_table(std::string_view name) const;
  Result<void> make_source(SourcePlan plan);
  Result<void> make_table(TablePlan plan);
  void run_sources(bool once);
  void run_retention(const spec::Pipeline& pipeline);
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
  std::string pipeline_name_;
  int64_t started_micros_ = 0;
  bool running_ = false;
  std::unique_ptr<sql::Engine> engine_;
  std::vector<std::unique_ptr<IngestLoop>> sources_;
  std::vector<std::unique_ptr<TableLoop>> tables_;
  std::optional<Retention> retention_;  // where a topic has one
  std::stop_source stop_source_;
  std::vector<std::jthread> source_threads_;
  std::vector<std::jthread> table_threads_;
  std::jthread retention_thread_;

  std::mutex mutex_;
  std::condition_variable_any source_finished_;
  size_t sources_running_ = 0;
  std::optional<Error> first_error_;
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
  store_ = MR_TRY(store::Store::open(directory.store(), logger_,
                                     {.read_only = options_.read_only, .clock = &clock_}));
  return {};
}

Result<void> Instance::Impl::make_source(SourcePlan plan) {
  auto* topic = MR_TRY(topic::open_topic(*log_, plan.topic));
  auto loop = std::make_unique<IngestLoop>(std::move(plan), *log_, *topic, cursor_folder(), logger_,
                                           clock_);
  MR_TRY(loop->recover());
  sources_.push_back(std::move(loop));
  return {};
}

Result<void> Instance::Impl::make_table(TablePlan plan) {
  auto* topic = MR_TRY(topic::open_topic(*log_, plan.topic));
  auto table = MR_TRY(table::open_table(*store_, plan.definition));
  auto loop =
      std::make_unique<TableLoop>(std::move(plan), *log_, *topic, *store_, table, logger_, clock_);
  MR_TRY(loop->recover());
  tables_.push_back(std::move(loop));
  return {};
}

// All are made and recovered before any runs: a table must not read what its source takes back.
Result<void> Instance::Impl::make_nodes(Plan plan) {
  for (auto& source : plan.sources) {
    std::string name = "source " + source.spec.name;
    MR_TRY_IN(make_source(std::move(source)), name);
  }
  for (auto& table : plan.tables) {
    std::string name = "table " + table.spec.full_name();
    MR_TRY_IN(make_table(std::move(table)), name);
  }
  return {};
}

Result<void> Instance::Impl::prepare(const spec::Pipeline& pipeline) {
  MR_CHECK(!engine_ && !options_.read_only);
  engine_ = MR_TRY(sql::Engine::open({.threads = 1, .memory_bytes = kBatchMemoryBytes}));
  std::vector<spec::Problem> problems;
  auto plan = make_plan(*engine_, pipeline, problems);
  for (const auto& problem : problems)
    if (problem.severity == spec::Problem::Severity::kError)
      return fail(ErrorCode::kInvalid, "{}: {}", spec::to_string(problem.place), problem.message);
  pipeline_name_ = plan.name;
  return make_nodes(std::move(plan));
}

Result<void> Instance::Impl::start(spec::Pipeline pipeline, bool once) {
  MR_TRY(prepare(pipeline));
  run_retention(pipeline);
  started_micros_ = clock_.monotonic_micros();
  running_ = true;
  run_sources(once);
  for (auto& table : tables_)
    table_threads_.emplace_back([this, &loop = *table, stop = stop_source_.get_token()] {
      auto ran = loop.run(stop);
      std::scoped_lock lock(mutex_);
      if (!ran && !first_error_) first_error_ = std::move(ran).error();
    });
  return {};
}

void Instance::Impl::run_retention(const spec::Pipeline& pipeline) {
  for (const auto& spec : pipeline.topics) {
    log::Retention bounds{.time = spec.retention.time};
    if (spec.retention.bytes) bounds.bytes = static_cast<uint64_t>(*spec.retention.bytes);
    auto* topic = log_->find_topic(spec.name);
    if (topic == nullptr || (!bounds.time && !bounds.bytes)) continue;
    if (!retention_) retention_.emplace(*store_, logger_, clock_);
    retention_->keep(*topic, bounds);
  }
  if (!retention_) return;
  for (const auto& table : tables_)
    retention_->wait_for(table->name(), table->topic(), [&loop = *table](PartitionId partition) {
      return loop.position(partition);
    });
  retention_thread_ =
      std::jthread([this, stop = stop_source_.get_token()] { retention_->run(stop); });
}

void Instance::Impl::run_sources(bool once) {
  sources_running_ = sources_.size();
  for (auto& source : sources_)
    source_threads_.emplace_back([this, &loop = *source, once, stop = stop_source_.get_token()] {
      auto ran = loop.run(once, stop);
      std::scoped_lock lock(mutex_);
      if (!ran && !first_error_) first_error_ = std::move(ran).error();
      --sources_running_;
      source_finished_.notify_all();
    });
}

Result<void> Instance::Impl::wait_until_finished(std::stop_token stop) {
  {
    std::unique_lock lock(mutex_);
    source_finished_.wait(lock, stop, [&] { return sources_running_ == 0; });
  }
  if (!stop.stop_requested()) {
    for (auto& table : tables_) table->finish_when_caught_up();
    std::stop_callback stop_tables(stop, [&] { stop_source_.request_stop(); });
    table_threads_.clear();  // waits for them
  }
  std::scoped_lock lock(mutex_);
  if (first_error_) return std::unexpected(*first_error_);
  return {};
}

Result<void> Instance::Impl::stop() {
  if (!running_ && !engine_) return {};
  stop_source_.request_stop();
  source_threads_.clear();
  table_threads_.clear();
  retention_thread_ = {};
  running_ = false;
  return store_->flush();
}

IngestLoop* Instance::Impl::find_source(std::string_view name) const {
  auto found = std::ranges::find(sources_, name, [](const auto& loop) { return loop->name(); });
  return found == sources_.end() ? nullptr : found->get();
}

TableLoop* Instance::Impl::find_table(std::string_view name) const {
  auto found = std::ranges::find(tables_, name, [](const auto& loop) { return loop->name(); });
  return found == tables_.end() ? nullptr : found->get();
}

Result<void> Instance::Impl::check_node(std::string_view node) const {
  if (find_source(node) != nullptr || find_table(node) != nullptr) return {};
  std::vector<std::string> names;
  for (const auto& source : sources_) names.push_back(source->name());
  for (const auto& table : tables_) names.push_back(table->name());
  std::string near = did_you_mean(node, names);
  return fail(ErrorCode::kNotFound, "pipeline {} has no source or table '{}'{}", pipeline_name_,
              node, near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

Result<Redriven> Instance::Impl::redrive(std::string_view node,
                                         std::span<const DeadLetter> letters) {
  MR_TRY(check_node(node));
  auto* source = find_source(node);
  return source != nullptr ? source->redrive(letters) : find_table(node)->redrive(letters);
}

Result<std::optional<SourceLetters>> Instance::Impl::source_letters(std::string_view name) const {
  if (const auto* loop = find_source(name)) return loop->letters();
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
    return letters;
  }
  return std::nullopt;
}

std::vector<SourceStatus> Instance::Impl::sources_at_rest() const {
  std::vector<SourceStatus> sources;
  for (auto* topic : log_->topics()) {
    if (is_dead_letters_topic(topic->name())) continue;
    auto found = find_cursor(*topic, cursor_folder());
    if (!found || !*found) continue;
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
        progress.push_back(one && *one ? **one : store::Progress{});
      }
      count(*store_, *table, *topic, progress, status);
    }
    tables.push_back(std::move(status));
  }
  return tables;
}

Status Instance::Impl::status() const {
  Status status{.pipeline = pipeline_name_, .data_dir = options_.data_dir, .running = running_};
  if (running_) {
    status.uptime_ms = (clock_.monotonic_micros() - started_micros_) / 1'000;
    for (const auto& source : sources_) status.sources.push_back(source->status());
    for (const auto& table : tables_) status.tables.push_back(table->status());
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
Result<void> Instance::start(spec::Pipeline pipeline, bool once) {
  return impl_->start(std::move(pipeline), once);
}
Result<void> Instance::wait_until_finished(std::stop_token stop) {
  return impl_->wait_until_finished(std::move(stop));
}
Result<void> Instance::stop() {
  return impl_->stop();
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
Result<void> Instance::load_value(DeadLetter& letter) const {
  if (letter.value_file.empty()) return {};
  auto path = fmt::format("{}/sources/{}", data_dir(), letter.value_file);
  letter.value = MR_TRY_IN(impl_->options().disk->read_file(path, limits::kResponseBytesMax),
                           letter.address());
  return {};
}
Result<std::optional<SourceLetters>> Instance::source_letters(std::string_view source) const {
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
