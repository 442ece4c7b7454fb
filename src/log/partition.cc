#include "log/partition.h"

#include <algorithm>
#include <utility>

namespace millrace::log {

PartitionImpl::PartitionImpl(std::string folder, const Options& options, Logger& logger,
                             std::function<void()> on_durable)
    : folder_(std::move(folder)),
      options_(options),
      logger_(logger),
      on_durable_(std::move(on_durable)) {}

PartitionImpl::~PartitionImpl() {
  const bool opened = segments_ != nullptr;
  if (opened && !options_.read_only && !failure_) segments_->back()->seal();
}

Result<void> PartitionImpl::create(const std::string& folder, const Options& options,
                                   Logger& logger) {
  MR_TRY(options.disk->make_directories(folder));
  MR_TRY(Segment::create(folder, Offset(0), "", options, logger));
  return {};
}

Result<std::unique_ptr<PartitionImpl>> PartitionImpl::open(std::string folder,
                                                           const Options& options, Logger& logger,
                                                           std::function<void()> on_durable) {
  if (!options.read_only) MR_TRY(options.disk->sync_directory(folder));
  auto bases = MR_TRY(Segment::bases_in(*options.disk, folder));
  auto names = MR_TRY(options.disk->list_directory(folder));
  std::unique_ptr<PartitionImpl> partition(
      new PartitionImpl(std::move(folder), options, logger, std::move(on_durable)));
  if (!options.read_only) MR_TRY(partition->remove_leftovers(names));
  Segments segments;
  for (size_t i = 0; i < bases.size(); ++i) {
    std::optional<Offset> next;
    if (i + 1 < bases.size()) next = bases[i + 1];
    segments.push_back(MR_TRY(Segment::open(partition->folder_, bases[i], next, options, logger)));
  }
  partition->written_end_ = segments.back()->written().end;
  partition->durable_end_ = partition->written_end_.value;
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

Result<void> PartitionImpl::reserve(size_t bytes) {
  std::lock_guard write_lock(write_mutex_);
  MR_TRY(room_for(bytes));
  return {};
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
  MR_TRY(sync());
  rolling_ = true;
  Segments next = *segments();
  next.back()->seal();
  auto spare = std::exchange(spare_, {});
  next.push_back(
      MR_TRY(Segment::create(folder_, next.back()->written().end, spare, options_, logger_)));
  set_segments(std::move(next));
  rolling_ = false;
  return {};
}

// One thread, the leader, syncs what all had written when it began; the others wait for it, and
// the first of those whose batch came too late is the next leader.
Result<void> PartitionImpl::sync() {
  std::unique_lock lock(state_mutex_);
  const Offset target = written_end_;
  for (;;) {
    if (end_offset() >= target) return {};
    if (failure_) return std::unexpected(*failure_);
    if (!syncing_) break;
    synced_.wait(lock);
  }
  syncing_ = true;
  auto active = segments_->back();
  lock.unlock();
  auto synced = active->sync();
  if (!synced) (void)poison(synced.error());
  lock.lock();
  syncing_ = false;
  if (synced) durable_end_.store(synced->end.value, std::memory_order_release);
  lock.unlock();
  synced_.notify_all();
  if (!synced) return std::unexpected(std::move(synced).error());
  on_durable_();
  return {};
}

// What was written before the last segment began is durable since then.
Result<void> PartitionImpl::flush() {
  MR_TRY(check_writable());
  auto flushed = segments()->back()->flush();
  if (!flushed) return poison(std::move(flushed).error());
  return {};
}

Offset PartitionImpl::start_offset() const {
  return segments()->front()->base_offset();
}

uint64_t PartitionImpl::size_bytes() const {
  uint64_t bytes = 0;
  auto held = segments();
  for (const auto& segment : *held) bytes += segment->durable().bytes;
  return bytes;
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
  MR_TRY(check_writable());
  MR_TRY(rolling_ ? roll() : sync());
  Segments kept = *segments();
  if (end < kept.front()->base_offset() || end > end_offset())
    return fail(ErrorCode::kNotFound, "cannot cut {} at offset {}: it has {} to {}", folder_, end,
                kept.front()->base_offset(), end_offset());
  if (end == end_offset()) return {};
  size_t count = kept.size();
  while (count > 1 && kept[count - 1]->base_offset() >= end) --count;
  auto last = kept[count - 1];
  Extent extent = MR_TRY(last->extent_before(end));
  // From the last on, one by one: a crash in between leaves a shorter log without a gap.
  for (; kept.size() > count; kept.pop_back()) {
    auto removed = Segment::remove(*options_.disk, folder_, kept.back()->base_offset(), false);
    if (!removed) return poison(std::move(removed).error());
  }
  auto cut = last->truncate(extent);
  if (!cut) return poison(std::move(cut).error());
  set_segments(std::move(kept));
  std::lock_guard lock(state_mutex_);
  written_end_ = end;
  durable_end_ = end.value;
  return {};
}

}  // namespace millrace::log
