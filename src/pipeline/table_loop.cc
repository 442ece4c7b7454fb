#include "pipeline/table_loop.h"

#include <algorithm>

#include "base/limits.h"

namespace millrace::pipeline {
namespace {

using std::chrono::milliseconds;

// How long to wait for records before looking whether to finish.
constexpr milliseconds kWait{100};
// Before a batch that failed is tried again.
constexpr milliseconds kRetry{1'000};
// Failures in a row after which a table that is to finish gives up.
constexpr int kAttemptsToFinish = 5;

}  // namespace

TableLoop::TableLoop(TablePlan plan, log::Log& log, log::Topic& topic, store::Store& store,
                     store::TablePtr table, Logger& logger, io::Clock& clock)
    : plan_(std::move(plan)),
      topic_(topic),
      store_(store),
      table_(std::move(table)),
      logger_(logger),
      clock_(clock),
      writer_(table_, plan_.transform.columns(), batch_),
      tombstones_(plan_),
      dead_letters_(log, plan_.spec.full_name(), topic.partition_count()),
      positions_(static_cast<size_t>(topic.partition_count())),
      progress_(positions_.size()) {}

Result<void> TableLoop::recover() {
  for (size_t i = 0; i < positions_.size(); ++i) {
    PartitionId partition(static_cast<int32_t>(i));
    auto progress = MR_TRY(store_.progress(*table_, topic_.name(), partition));
    if (progress) progress_[i] = *progress;
    positions_[i] = progress_[i].next;
    warn_of_removed(partition);
    Offset end = topic_.partition(partition).end_offset();
    if (positions_[i] > end)
      return fail(ErrorCode::kCorrupt,
                  "table {} has read partition {} of topic {} up to offset {}, but the log ends at "
                  "{}: the log and the store of this data directory do not belong together",
                  plan_.spec.full_name(), partition, topic_.name(), positions_[i], end);
  }
  return {};
}

// Rows and erasures go to batch_, what was refused to failures_.
Result<sql::Transform::Counts> TableLoop::make_rows(std::span<const record::RecordView> records) {
  writer_.begin(records, clock_.now_micros() / 1'000'000 + limits::kErasureSeconds);
  auto tombstones = tombstones_.read(records, writer_, failures_);
  auto counts = MR_TRY(plan_.transform.run(reader_.values(), writer_, failures_));
  MR_TRY(writer_.finish());
  std::ranges::stable_sort(failures_, {}, &sql::Failure::record);
  counts.passed += tombstones.erased;
  counts.failed += tombstones.failed;
  counts.filtered -= tombstones.erased + tombstones.failed;
  return counts;
}

// Retention waits for the tables of this process only: another one's records may be gone.
void TableLoop::warn_of_removed(PartitionId partition) {
  Offset next = positions_[static_cast<size_t>(partition.value)];
  Offset start = topic_.partition(partition).start_offset();
  if (next >= start) return;
  logger_.error("retention removed records before this table read them; it goes on behind them",
                {{"table", plan_.spec.full_name()},
                 {"topic", topic_.name()},
                 {"partition", std::to_string(partition.value)},
                 {"from_offset", std::to_string(next.value)},
                 {"to_offset", std::to_string(start.value)},
                 {"records", std::to_string(start - next)}});
}

Result<bool> TableLoop::take_batch(PartitionId partition) {
  auto i = static_cast<size_t>(partition.value);
  auto& log_partition = topic_.partition(partition);
  if (log_partition.end_offset() <= positions_[i]) return false;
  Offset from = std::max(positions_[i], log_partition.start_offset());
  auto records = MR_TRY(reader_.read(log_partition, from));
  if (records.empty()) return false;

  batch_.clear();
  failures_.clear();
  auto counts = MR_TRY(make_rows(records));
  for (const auto& failure : failures_) {
    const auto& record = records[failure.record];
    Origin origin{
        .topic = topic_.name(), .partition = partition.value, .offset = record.offset.value};
    MR_TRY(dead_letters_.add(partition, origin, failure, record.key, record.value.value_or(""),
                             clock_.now_micros() / 1'000));
  }
  MR_TRY_IN(dead_letters_.flush(), "writing dead letters");

  store::Progress progress = progress_[i];
  progress.removed += from - progress.next;
  progress.next = records.back().offset + 1;
  progress.written += static_cast<int64_t>(counts.passed);
  progress.filtered += static_cast<int64_t>(counts.filtered);
  progress.dead_letters += static_cast<int64_t>(counts.failed);
  batch_.set_progress(*table_, topic_.name(), partition, progress);
  MR_TRY(store_.commit(batch_));
  positions_[i] = progress.next;
  rate_.add(static_cast<int64_t>(records.size()), clock_.monotonic_micros());
  std::scoped_lock lock(progress_mutex_);
  progress_[i] = progress;
  return true;
}

Result<void> TableLoop::recover_dead_letters() {
  for (size_t i = 0; i < positions_.size(); ++i) {
    PartitionId partition(static_cast<int32_t>(i));
    Origin next{
        .topic = topic_.name(), .partition = partition.value, .offset = positions_[i].value};
    MR_TRY(dead_letters_.recover(partition, next));
  }
  dead_letters_known_ = true;
  return {};
}

Result<bool> TableLoop::take_batches(std::stop_token stop) {
  if (!dead_letters_known_) MR_TRY(recover_dead_letters());
  bool any = false;
  for (int32_t i = 0; i < topic_.partition_count() && !stop.stop_requested(); ++i)
    any |= MR_TRY(take_batch(PartitionId(i)));
  return any;
}

Result<void> TableLoop::run(std::stop_token stop) {
  int failures_in_a_row = 0;
  while (!stop.stop_requested()) {
    // Read before looking for records: what arrives after it is not asked for.
    bool finishing = finishing_;
    auto any = take_batches(stop);
    if (!any) {
      dead_letters_known_ = false;
      health_.set(NodeState::kWaiting, any.error().message());
      logger_.error("a batch failed; trying again in 1s",
                    {{"node", plan_.spec.full_name()},
                     {"topic", topic_.name()},
                     {"error_type", std::string(to_string(any.error().code()))},
                     {"error", any.error().message()}});
      if (finishing && ++failures_in_a_row == kAttemptsToFinish)
        return std::unexpected(
            std::move(any).error().within(fmt::format("table {}", plan_.spec.full_name())));
      clock_.wait(kRetry, stop);
      continue;
    }
    failures_in_a_row = 0;
    health_.set(NodeState::kRunning);
    if (*any) continue;
    if (finishing) break;
    topic_.wait(positions_, kWait, stop);
  }
  health_.set(NodeState::kFinished);
  return {};
}

void count(const store::Store& store, const store::Table& table, log::Topic& topic,
           const std::vector<store::Progress>& progress, TableStatus& status) {
  for (size_t i = 0; i < progress.size(); ++i) {
    auto& partition = topic.partition(PartitionId(static_cast<int32_t>(i)));
    auto end = partition.end_offset();
    auto next = std::max(progress[i].next, partition.start_offset());
    status.records_in += end.value;
    status.waiting += end - next;
    status.removed += progress[i].removed + (next - progress[i].next);
    status.written += progress[i].written;
    status.filtered += progress[i].filtered;
    status.dead_letters += progress[i].dead_letters;
  }
  status.bytes = store.approximate_size(table).bytes;
}

Offset TableLoop::position(PartitionId partition) const {
  std::scoped_lock lock(progress_mutex_);
  return progress_[static_cast<size_t>(partition.value)].next;
}

TableStatus TableLoop::status() const {
  TableStatus status{.name = plan_.spec.full_name(), .topic = topic_.name()};
  health_.tell(status);
  status.records_per_s = rate_.per_second(clock_.monotonic_micros());
  std::vector<store::Progress> progress;
  {
    std::scoped_lock lock(progress_mutex_);
    progress = progress_;
  }
  count(store_, *table_, topic_, progress, status);
  return status;
}

}  // namespace millrace::pipeline
