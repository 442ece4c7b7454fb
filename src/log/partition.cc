#include "log/partition.h"

#include <algorithm>
#include <utility>

namespace millrace::log {

PartitionImpl::PartitionImpl(std::string folder, const Options& options, Logger& logger,
                             std::function<void()> on_shown)
    : folder_(std::move(folder)),
      options_(options),
      logger_(logger),
      on_shown_(std::move(on_shown)) {}

PartitionImpl::~PartitionImpl() {
  const bool opened = segments_ != nullptr;
  if (opened && !options_.read_only && !failure_) segments_->back()->seal();
}

Result<void> PartitionImpl::create(const std::string& folder, const Options& options,
                                   Logger& logger) {
  MR_TRY(options.disk->make_directories(folder));
  std::string no_spare;
  MR_TRY(Segment::create(folder, Offset(0), no_spare, options, logger));
  return {};
}

Result<std::unique_ptr<PartitionImpl>> PartitionImpl::open(std::string folder,
                                                           const Options& options, Logger& logger,
                                                           std::function<void()> on_shown) {
  if (!options.read_only) MR_TRY(options.disk->sync_directory(folder));
  auto bases = MR_TRY(Segment::bases_in(*options.disk, folder));
  auto names = MR_TRY(options.disk->list_directory(folder));
  std::unique_ptr<PartitionImpl> partition(
      new PartitionImpl(std::move(folder), options, logger, std::move(on_shown)));
  if (!options.read_only) MR_TRY(partition->remove_leftovers(names));
  Segments segments;
  for (size_t i = 0; i < bases.size(); ++i) {
    std::optional<Offset> next;
    if (i + 1 < bases.size()) next = bases[i + 1];
    segments.push_back(MR_TRY(Segment::open(partition->folder_, bases[i], next, options, logger)));
  }
  partition->written_end_ = partition->flushed_end_ = segments.back()->written().end;
  partition->shown_end_ = partition->written_end_.value;
  partition->set_segments(std::move(segments));
  return partition;
}

std::shared_ptr<const PartitionImpl::Segments> PartitionImpl::segments() const {
  std::lock_guard lock(state_mutex_);
  return segments_;
}

void PartitionImpl::set_segments(Segments segments) {
  auto shared = std::make_shared<const Segments>(std::move(segments));
  std::lock_guard lock(state_mutex_);
  segments_ = std::move(shared);
}

Result<void> PartitionImpl::check_writable() const {
  if (options_.read_only)
    return fail(ErrorCode::kUnsupported, "the log {} was opened for reading only", folder_);
  std::lock_guard lock(state_mutex_);
  if (failure_) return std::unexpected(*failure_);
  return {};
}

std::unexpected<Error> PartitionImpl::poison(Error error) {
  logger_.error("the partition takes no more records until the process is started again",
                {{"folder", folder_}, {"error", error.message()}});
  std::lock_guard lock(state_mutex_);
  if (!failure_)
    failure_ = Error(ErrorCode::kIo, fmt::format("{} takes no more records until the process is "
                                                 "started again, because an earlier write "
                                                 "failed: {}",
                                                 folder_, error.message()));
  return std::unexpected(std::move(error));
}

Result<Offset> PartitionImpl::write(std::string_view batch) {
  if (batch.size() > limits::kBatchBytesMax)
    return fail(ErrorCode::kLimit, "a batch of {} bytes is too large: the log takes at most {}",
                batch.size(), limits::kBatchBytesMax);
  auto header = record::parse_batch_header(batch);
  if (!header) return fail(ErrorCode::kInvalid, "{}", header.error().message());
  if (header->size_bytes != batch.size() || header->count != header->last_offset_delta + 1 ||
      !record::crc_matches(batch, *header))
    return fail(ErrorCode::kInvalid,
                "these {} bytes are not one whole record batch with a right CRC", batch.size());

  std::lock_guard write_lock(write_mutex_);
  auto active = MR_TRY(room_for(batch.size()));
  Offset base = active->written().end;
  auto written = active->write(batch, *header);
  if (!written) return poison(std::move(written).error());
  std::lock_guard lock(state_mutex_);
  written_end_ = active->written().end;
  return base;
}

Result<ReservedSpace> PartitionImpl::reserve(size_t bytes) {
  std::lock_guard write_lock(write_mutex_);
  MR_TRY(room_for(bytes));
  ++reservations_;
  return ReservedSpace(this);
}

// Nobody has begun what is to be shown as a whole. The caller holds write_mutex_.
bool PartitionImpl::is_between_writes() const {
  return reservations_ == 0 && written_end_ == end_offset();
}

// The segment that takes the next `bytes`, with disk space for them. The caller holds write_mutex_.
Result<std::shared_ptr<Segment>> PartitionImpl::room_for(size_t bytes) {
  MR_TRY(check_writable());
  if (rolling_ || !segments()->back()->has_room(bytes)) MR_TRY(roll());
  auto active = segments()->back();
  MR_TRY(active->reserve(bytes));
  return active;
}

// Only the last segment may be torn at a crash, so the old one is durable before the new one's
// name exists. Where that name may exist, although making it failed, nothing more goes into the old
// one: what is tried again is to make the new one. The caller holds write_mutex_.
Result<void> PartitionImpl::roll() {
  MR_TRY(flush());
  rolling_ = true;
  Segments next = *segments();
  next.back()->seal();
  next.push_back(
      MR_TRY(Segment::create(folder_, next.back()->written().end, spare_, options_, logger_)));
  set_segments(std::move(next));
  rolling_ = false;
  return {};
}

// One thread, the leader, flushes what all had written when it began; the others wait for it, and
// the first of those whose batch came too late is the next leader. What was written before the last
// segment began is flushed since then.
Result<void> PartitionImpl::flush() {
  std::unique_lock lock(state_mutex_);
  const Offset target = written_end_;
  for (;;) {
    if (flushed_end_ >= target) return {};
    if (failure_) return std::unexpected(*failure_);
    if (!flushing_) break;
    flushed_.wait(lock);
  }
  flushing_ = true;
  auto active = segments_->back();
  lock.unlock();
  auto flushed = active->flush();
  if (!flushed) (void)poison(flushed.error());
  lock.lock();
  flushing_ = false;
  if (flushed) flushed_end_ = flushed->end;
  lock.unlock();
  flushed_.notify_all();
  if (!flushed) return std::unexpected(std::move(flushed).error());
  return {};
}

void PartitionImpl::show() {
  {
    std::lock_guard lock(state_mutex_);
    const Offset before = end_offset();
    if (before == flushed_end_) return;
    for (auto segment = segments_->rbegin(); segment != segments_->rend(); ++segment) {
      (*segment)->show();
      if ((*segment)->base_offset() <= before) break;
    }
    shown_end_.store(flushed_end_.value, std::memory_order_release);
  }
  on_shown_();
}

Result<void> PartitionImpl::check_whole() const {
  MR_TRY(check_writable());
  std::lock_guard lock(state_mutex_);
  if (written_end_ == end_offset()) return {};
  return fail(ErrorCode::kIo,
              "{} has records whose write was not finished; start again: only then it is known "
              "whether they are there",
              folder_);
}

Offset PartitionImpl::start_offset() const {
  return segments()->front()->base_offset();
}

uint64_t PartitionImpl::size_bytes() const {
  uint64_t bytes = 0;
  auto held = segments();
  for (const auto& segment : *held) bytes += segment->shown().bytes;
  return bytes;
}

std::optional<int64_t> PartitionImpl::max_timestamp_ms() const {
  std::optional<int64_t> max;
  auto held = segments();
  for (const auto& segment : *held) {
    auto shown = segment->shown();
    if (shown.bytes > 0) max = std::max(max.value_or(INT64_MIN), shown.max_timestamp_ms);
  }
  return max;
}

Result<std::string_view> PartitionImpl::read(Offset from, size_t bytes_max,
                                             std::string& buffer) const {
  Offset end = end_offset();
  auto all = segments();
  Offset start = all->front()->base_offset();
  if (from < start || from > end)
    return fail(ErrorCode::kNotFound, "offset {} is not in {}, which has {} to {}", from, folder_,
                start, end);
  if (from == end) return std::string_view();
  auto after = std::upper_bound(
      all->begin(), all->end(), from,
      [](Offset offset, const auto& segment) { return offset < segment->base_offset(); });
  return (*std::prev(after))->read(from, bytes_max, buffer);
}

Result<Offset> PartitionImpl::offset_at(int64_t timestamp_ms) const {
  Offset end = end_offset();
  auto held = segments();
  for (const auto& segment : *held)
    if (auto found = MR_TRY(segment->offset_at(timestamp_ms))) return *found;
  return end;
}

Result<void> PartitionImpl::truncate(Offset end) {
  std::lock_guard write_lock(write_mutex_);
  if (!options_.read_only) {
    MR_TRY(check_writable());
    // Then no thread is at a segment's file, and no next segment is half made.
    MR_TRY(rolling_ ? roll() : flush());
  }
  Segments kept = *segments();
  if (end < kept.front()->base_offset() || end > end_offset())
    return fail(ErrorCode::kNotFound, "cannot cut {} at offset {}: it has {} to {}", folder_, end,
                kept.front()->base_offset(), end_offset());
  if (end == written_end_) return {};
  size_t count = kept.size();
  while (count > 1 && kept[count - 1]->base_offset() >= end) --count;
  Extent extent = MR_TRY(kept[count - 1]->extent_before(end));
  auto cut = options_.read_only ? Result<void>() : cut_files(kept, count, extent);
  if (!cut) return poison(std::move(cut).error());
  kept.resize(count);
  kept.back()->forget_behind(extent);
  set_segments(std::move(kept));
  std::lock_guard lock(state_mutex_);
  written_end_ = flushed_end_ = end;
  shown_end_ = end.value;
  return {};
}

// Removes all but the first `count` segments, and of those the last one's end. From the last on,
// one by one: a crash in between leaves a shorter log without a gap.
Result<void> PartitionImpl::cut_files(const Segments& segments, size_t count, const Extent& end) {
  for (size_t i = segments.size(); i > count; --i)
    MR_TRY(Segment::remove(*options_.disk, folder_, segments[i - 1]->base_offset(), false));
  return segments[count - 1]->cut_file(end);
}

}  // namespace millrace::log
