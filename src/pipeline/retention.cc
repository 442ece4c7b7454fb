#include "pipeline/retention.h"

#include <algorithm>

#include "source/cursor.h"
#include "topic/page_writer.h"

namespace millrace::pipeline {
namespace {

constexpr std::chrono::milliseconds kEvery{10'000};

}  // namespace

void Retention::run(std::stop_token stop) {
  do {
    auto applied = apply();
    auto error = applied ? "" : applied.error().message();
    if (!error.empty() && error != last_error_)
      logger_.warning("retention has failed and is tried again", {{"error", error}});
    last_error_ = error;
  } while (clock_.wait(kEvery, stop));
}

Result<void> Retention::apply() {
  Result<void> all;
  auto note = [&](auto&& done) {
    if (!done && all) all = std::unexpected(std::move(done).error());
  };
  std::vector<Removal> removals;
  for (const auto& kept : topics_) {
    std::string slowest;
    for (int32_t i = 0; i < kept.topic->partition_count(); ++i) {
      auto found = find(kept, PartitionId(i), slowest);
      if (found && *found) removals.push_back(**found);
      note(std::move(found));
    }
    note_waiting(kept.topic->name(), slowest);
  }
  if (removals.empty()) return all;
  // Without a log of its own the store may lose what is not flushed, and a table's position with
  // it. Positions were read before, so they are on disk afterwards.
  MR_TRY(store_.flush());
  for (const auto& removal : removals) note(removal.partition->remove_before(removal.before));
  return all;
}

Result<std::optional<Retention::Removal>> Retention::find(const Kept& kept, PartitionId id,
                                                          std::string& slowest) {
  auto& partition = kept.topic->partition(id);
  Offset before = MR_TRY(partition.kept_from(kept.retention, clock_.now_micros() / 1'000));
  if (before <= partition.start_offset()) return std::nullopt;
  for (const auto& reading : tables_) {
    if (reading.topic != kept.topic) continue;
    Offset taken = partition.segment_start(reading.position(id));
    if (taken < before) slowest = reading.table;
    before = std::min(before, taken);
  }
  // Where a source goes on stands in the newest of its records.
  auto cursor = MR_TRY(topic::find_last_with_header(partition, source::kCursorHeader));
  if (cursor) before = std::min(before, partition.segment_start(cursor->batch_start));
  if (before <= partition.start_offset()) return std::nullopt;
  return Removal{&partition, before};
}

void Retention::note_waiting(const std::string& topic, const std::string& table) {
  std::scoped_lock lock(mutex_);
  // A table that was still waited for at the next look is worth a line, once.
  bool again = !table.empty() && waits_for_[topic] == table;
  waits_for_[topic] = table;
  if (!again) {
    if (table.empty()) told_[topic].clear();
    return;
  }
  if (told_[topic] == table) return;
  told_[topic] = table;
  logger_.warning("retention waits: records that could go are kept until this table has taken them",
                  {{"topic", topic}, {"node", table}});
}

std::string Retention::waits_for(const std::string& topic) const {
  std::scoped_lock lock(mutex_);
  auto found = waits_for_.find(topic);
  return found == waits_for_.end() ? "" : found->second;
}

}  // namespace millrace::pipeline
