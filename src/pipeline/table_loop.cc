#include "pipeline/table_loop.h"

#include <algorithm>

#include "base/limits.h"
#include "topic/place.h"

namespace millrace::pipeline {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// How long to wait for records before looking whether to finish.
constexpr milliseconds kWait{100};
// Before a batch that failed is tried again.
constexpr milliseconds kRetry{1'000};
// How often that is logged, while it fails for the same reason.
constexpr microseconds kSayAgain{30'000'000};
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
      share_(plan_.spec.dead_letters.max),
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
                  "{}: the log and the store of this data directory do not belong together; "
                  "'millrace doctor' says what can be mended",
                  plan_.spec.full_name(), partition, topic_.name(), positions_[i], end);
  }
  return {};
}

// Rows and erasures go to batch_, what was refused to failures_.
Result<sql::Transform::Counts> TableLoop::make_rows(
    std::span<const record::RecordView> records,
    std::span<const std::optional<std::string_view>> values) {
  writer_.begin(times_, clock_.now_micros() / 1'000'000 + limits::kErasureSeconds);
  auto tombstones = MR_TRY(tombstones_.read(records, writer_, failures_));
  auto counts = MR_TRY(plan_.transform.run(values, writer_, failures_));
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
                {{"node", plan_.spec.full_name()},
                 {"topic", topic_.name()},
                 {"partition", partition.value},
                 {"from_offset", next.value},
                 {"to_offset", start.value},
                 {"records", start - next}});
}

// The offset of each of failures_ in the dead-letter topic.
Result<std::vector<Offset>> TableLoop::write_dead_letters(
    PartitionId partition, std::span<const record::RecordView> records) {
  std::vector<Refused> refused;
  for (const auto& failure : failures_) {
    const auto& record = records[failure.record];
    refused.push_back({.origin = {topic_.name(), partition.value, record.offset.value},
                       .stage = sql::to_string(failure.stage),
                       .rule = failure.rule,
                       .error = failure.error,
                       .key = record.key,
                       .value = record.value,
                       .timestamp_ms = record.timestamp_ms,
                       .place = MR_TRY(topic::place_text(record))});
  }
  auto offsets = MR_TRY(dead_letters_.write(partition, refused, clock_.now_micros() / 1'000));
  if (!refused.empty()) dead_letters_.show(partition);
  return offsets;
}

Result<void> TableLoop::check_share(PartitionId partition,
                                    std::span<const record::RecordView> records) {
  if (failures_.empty()) return {};
  auto allowed = share_.check_with(static_cast<int64_t>(records.size()),
                                   static_cast<int64_t>(failures_.size()), words_of(failures_[0]));
  if (allowed) return {};
  is_stopped_ = true;
  return fail(allowed.error().code(),
              "{}. None was taken of those from offset {} of partition {} on: fix the pipeline "
              "file or its 'max', and start again or send SIGHUP",
              allowed.error().message(), records.front().offset, partition);
}

void TableLoop::set_progress(PartitionId partition, const store::Progress& progress) {
  std::scoped_lock lock(progress_mutex_);
  progress_[static_cast<size_t>(partition.value)] = progress;
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
  times_.clear();
  for (const auto& record : records) {
    Place place = MR_TRY(topic::place_of(record));
    times_.push_back({.timestamp_us = record.timestamp_ms * 1'000, .place = place});
  }
  auto counts = MR_TRY(make_rows(records, reader_.values()));
  MR_TRY(check_share(partition, records));
  auto letters = MR_TRY_IN(write_dead_letters(partition, records), "writing dead letters");
  for (Offset letter : letters) batch_.open_dead_letter(*table_, topic_.name(), partition, letter);

  store::Progress progress = progress_[i];
  progress.removed += from - progress.next;
  progress.next = records.back().offset + 1;
  progress.written += static_cast<int64_t>(counts.passed);
  progress.filtered += static_cast<int64_t>(counts.filtered);
  progress.dead_letters += static_cast<int64_t>(counts.failed);
  batch_.set_progress(*table_, topic_.name(), partition, progress);
  MR_TRY(store_.commit(batch_));
  set_progress(partition, progress);
  positions_[i] = progress.next;
  share_.add(static_cast<int64_t>(records.size()), static_cast<int64_t>(counts.failed));
  rate_.add(static_cast<int64_t>(records.size()), clock_.monotonic_micros());
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
  bool any = false;
  for (int32_t i = 0; i < topic_.partition_count() && !stop.stop_requested(); ++i) {
    std::scoped_lock turn(turns_);
    if (!dead_letters_known_) MR_TRY(recover_dead_letters());
    any |= MR_TRY(take_batch(PartitionId(i)));
  }
  return any;
}

// Adds rows and marks of the letters of one partition to batch_, and counts them.
Result<Redriven> TableLoop::redrive_partition(PartitionId partition,
                                              std::span<const DeadLetter* const> letters,
                                              store::Progress& progress) {
  Redriven done;
  std::vector<const DeadLetter*> open;
  for (const auto* letter : letters) {
    Offset offset(letter->offset);
    auto next = MR_TRY(store_.open_dead_letters(*table_, topic_.name(), partition, offset, 1));
    if (!next.empty() && next[0] == offset)
      open.push_back(letter);
    else
      ++done.not_open;
  }
  LettersAsRecords records(open);
  failures_.clear();
  times_.clear();
  for (const auto* letter : open) {
    Place place{.offset = Offset(letter->from_offset)};
    if (!letter->place.empty()) place = MR_TRY(topic::parse_place(letter->place));
    times_.push_back({.timestamp_us = letter->from_timestamp_ms * 1'000, .place = place});
  }
  auto counts = MR_TRY(make_rows(records.records(), records.values()));
  for (const auto& failure : failures_) {
    done.failing.push_back({open[failure.record]->address(), words_of(failure)});
    open[failure.record] = nullptr;
  }
  for (const auto* letter : open)
    if (letter != nullptr)
      batch_.close_dead_letter(*table_, topic_.name(), partition, Offset(letter->offset));
  done.written = static_cast<int64_t>(counts.passed);
  done.filtered = static_cast<int64_t>(counts.filtered);
  progress.written += done.written;
  progress.filtered += done.filtered;
  progress.redriven += done.written + done.filtered;
  progress.dead_letters -= done.written + done.filtered;
  batch_.set_progress(*table_, topic_.name(), partition, progress);
  return done;
}

// A crash that takes this write back takes rows, marks and counts back: the letters are open again.
Result<Redriven> TableLoop::redrive(std::span<const DeadLetter> letters) {
  std::map<int32_t, std::vector<const DeadLetter*>> by_partition;
  for (const auto& letter : letters) by_partition[letter.partition].push_back(&letter);
  std::scoped_lock turn(turns_);
  Redriven done;
  auto progress = progress_;
  batch_.clear();
  for (const auto& [number, of_partition] : by_partition) {
    auto i = static_cast<size_t>(number);
    if (i >= progress.size())
      return fail(ErrorCode::kNotFound, "topic {} has no partition {}", topic_.name(), number);
    done.add(MR_TRY(redrive_partition(PartitionId(number), of_partition, progress[i])));
  }
  MR_TRY(store_.commit(batch_));
  for (const auto& [number, of_partition] : by_partition)
    set_progress(PartitionId(number), progress[static_cast<size_t>(number)]);
  return done;
}

void TableLoop::tell(NodeState state, std::string_view what, const Error& error) {
  health_.set(state, error.message());
  logger_.error(what, {{"node", plan_.spec.full_name()},
                       {"topic", topic_.name()},
                       {"error_type", std::string(to_string(error.code()))},
                       {"error", error.message()}});
}

void TableLoop::tell_again(const Error& error) {
  auto now_micros = clock_.monotonic_micros();
  if (error.message() == said_ && now_micros - said_micros_ < kSayAgain.count()) {
    health_.set(NodeState::kWaiting, error.message());
    return;
  }
  said_ = error.message();
  said_micros_ = now_micros;
  tell(NodeState::kWaiting, "a batch failed; trying again every second", error);
}

Result<void> TableLoop::run(std::stop_token stop) {
  auto ended_by = [&](Error error) {
    return std::unexpected(
        std::move(error).within(fmt::format("table {}", plan_.spec.full_name())));
  };
  int failures_in_a_row = 0;
  while (!stop.stop_requested()) {
    // Read before looking for records: what arrives after it is not asked for.
    bool finishing = finishing_;
    auto any = take_batches(stop);
    if (!any && is_stopped_) {
      tell(NodeState::kStopped, "too many dead letters; stopped", any.error());
      return ended_by(std::move(any).error());
    }
    if (!any) {
      dead_letters_known_ = false;
      tell_again(any.error());
      if (finishing && ++failures_in_a_row == kAttemptsToFinish)
        return ended_by(std::move(any).error());
      clock_.wait(kRetry, stop);
      continue;
    }
    failures_in_a_row = 0;
    said_.clear();
    if (health_.set(NodeState::kRunning) == NodeState::kWaiting)
      logger_.info("goes on", {{"node", plan_.spec.full_name()}});
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
    status.redriven += progress[i].redriven;
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
