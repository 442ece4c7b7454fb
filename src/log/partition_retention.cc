// Removing the oldest segments of a partition. docs/format/log.md, "Retention", says the order.
#include <algorithm>
#include <atomic>

#include "log/partition.h"

namespace millrace::log {

// What was being removed, or kept for the next segment, when the process or the machine stopped.
Result<void> PartitionImpl::remove_leftovers(const std::vector<std::string>& names) const {
  auto has_segment = [&](Offset base) {
    return std::ranges::any_of(
        names, [&](const auto& name) { return Segment::base_offset_of(name) == base; });
  };
  for (const auto& name : names) {
    auto index = Segment::index_of(name);
    if (Segment::is_spare(name) || (index && !has_segment(*index)))
      MR_TRY(options_.disk->remove_file(folder_ + "/" + name));
  }
  return {};
}

Result<Offset> PartitionImpl::kept_from(const Retention& retention, int64_t now_ms) {
  const int64_t oldest_ms = retention.time ? now_ms - retention.time->count() : INT64_MIN;
  {
    std::lock_guard write_lock(write_mutex_);
    MR_TRY(check_writable());
    auto first_ms = MR_TRY(segments()->back()->first_timestamp_ms());
    if (first_ms && *first_ms < oldest_ms && is_between_writes()) MR_TRY(roll());
  }
  auto all = segments();
  uint64_t bytes = 0;
  for (const auto& segment : *all) bytes += segment->shown().bytes;
  for (size_t i = 0; i + 1 < all->size(); ++i) {
    const auto shown = (*all)[i]->shown();
    bytes -= shown.bytes;
    bool is_old = shown.max_timestamp_ms < oldest_ms;
    bool is_too_much = retention.bytes && bytes >= *retention.bytes;
    // Without records in what follows, this is where the newest ones are.
    if (bytes == 0 || (!is_old && !is_too_much)) return (*all)[i]->base_offset();
  }
  return all->back()->base_offset();
}

Offset PartitionImpl::segment_start(Offset offset) const {
  auto all = segments();
  Offset start = all->front()->base_offset();
  for (const auto& segment : *all)
    if (segment->base_offset() <= offset) start = segment->base_offset();
  return start;
}

Result<void> PartitionImpl::remove_before(Offset offset) {
  std::lock_guard one_remover(remove_mutex_);
  for (;;) {
    std::string set_aside;
    auto removed = MR_TRY(take_first(offset, set_aside));
    if (!removed) return {};
    if (set_aside.empty()) continue;
    if (keep_spare(std::move(removed))) {
      std::lock_guard write_lock(write_mutex_);
      spare_ = set_aside;
    } else {
      MR_TRY(options_.disk->remove_file(set_aside));
    }
  }
}

// The oldest segment, no longer part of the partition nor in the folder under its name; nullptr:
// it stays. From the first on, one by one: a crash in between leaves a log without a gap.
Result<std::shared_ptr<Segment>> PartitionImpl::take_first(Offset offset, std::string& set_aside) {
  std::lock_guard write_lock(write_mutex_);
  MR_TRY(check_writable());
  Segments kept = *segments();
  bool goes = kept.size() > 1 && kept[1]->base_offset() <= offset &&
              std::any_of(kept.begin() + 1, kept.end(),
                          [](const auto& segment) { return segment->shown().bytes > 0; });
  if (!goes) return nullptr;
  auto first = kept.front();
  const Offset base = first->base_offset();
  auto& disk = *options_.disk;
  auto done = Segment::remove(disk, folder_, base, spare_.empty());
  if (!done) {
    bool untouched = disk.file_exists(Segment::path_of(folder_, base)).value_or(false);
    if (untouched) return std::unexpected(std::move(done).error());
    return poison(std::move(done).error());
  }
  set_aside = *std::move(done);
  kept.erase(kept.begin());
  set_segments(std::move(kept));
  return first;
}

// Makes a removed segment's file fit to be the next segment's; false: it is to go. Its old batches
// must not be there any more: a torn write could give one of them an offset that is right again,
// which its CRC does not cover.
bool PartitionImpl::keep_spare(std::shared_ptr<Segment> segment) {
  // A reader that still has it would find zeros. No new one can come.
  if (segment.use_count() > 1) return false;
  std::atomic_thread_fence(std::memory_order_acquire);
  auto cleared = segment->clear();
  if (!cleared)
    logger_.warning("a removed segment's file is not used again",
                    {{"folder", folder_}, {"error", cleared.error().message()}});
  return cleared.has_value();
}

}  // namespace millrace::log
