#include "log/verify.h"

#include <algorithm>

#include "log/batch_scan.h"
#include "log/segment.h"
#include "log/topic.h"

namespace millrace::log {
namespace {

// Where the bytes of a file end that differ from zero, from `position` on; `position`: all are
// zeros.
Result<uint64_t> data_end(const io::File& file, uint64_t position) {
  constexpr size_t kChunkBytes = size_t{256} << 10;
  const std::string zeros(kChunkBytes, '\0');
  std::string chunk(kChunkBytes, '\0');
  uint64_t end = position;
  while (auto found = MR_TRY(file.next_data(position))) {
    size_t got = MR_TRY(file.read_some_at(*found, chunk.data(), chunk.size()));
    if (got == 0) break;
    position = *found + got;
    auto bytes = std::string_view(chunk).substr(0, got);
    if (bytes != std::string_view(zeros).substr(0, got))
      end = *found + bytes.find_last_not_of('\0') + 1;
  }
  return end;
}

// Walks over one segment.
class SegmentCheck {
 public:
  // `stop`: where the next segment begins, or the durable end of a live log; nullopt: as far as
  // there are batches.
  SegmentCheck(io::Disk& disk, const std::string& folder, Offset base, std::optional<Offset> stop,
               const Verification& how, PartitionCheck& to)
      : disk_(disk),
        file_path_(Segment::path_of(folder, base)),
        index_path_(Segment::index_path_of(folder, base)),
        at_{.base_offset = base},
        stop_(stop),
        how_(how),
        to_(to) {}

  Result<void> run();
  // Of the first record behind what was found.
  Offset next_offset() const { return at_.base_offset; }

 private:
  Result<void> load_rows();
  Result<void> read_whole(const io::File& file, uint64_t size);
  Result<void> note(std::string_view batch, const record::BatchHeader& header);
  void check_row();
  Result<bool> go_on_behind(const io::File& file, uint64_t size, Damage& damage);
  bool is_done() const { return stop_ && at_.base_offset >= *stop_; }

  io::Disk& disk_;
  std::string file_path_;
  std::string index_path_;
  IndexRow at_;  // between two batches: as an index row for it would be
  std::optional<Offset> stop_;
  const Verification& how_;
  PartitionCheck& to_;
  std::vector<IndexRow> rows_;
  size_t next_row_ = 0;
  bool is_index_bad_ = false;
  std::string why_stopped_;
};

Result<void> SegmentCheck::load_rows() {
  rows_ = MR_TRY(IndexFile::load(disk_, index_path_));
  bool is_sealed = stop_ && !how_.live_end;
  if (!is_sealed || !MR_TRY(disk_.file_exists(index_path_))) return {};
  auto file = MR_TRY(disk_.open(index_path_, io::File::Mode::kRead));
  uint64_t rest = MR_TRY(file.size()) - rows_.size() * IndexFile::kRowBytes;
  if (rest > 0)
    to_.bad_indexes.push_back(
        {index_path_, fmt::format("its last {} bytes are no rows with a right CRC", rest)});
  return {};
}

// An index row is written once what is before its place is on disk. So what is wrong before the
// last row's place is damage; behind it, in the last segment, it is what was being written.
Result<void> SegmentCheck::run() {
  MR_TRY(load_rows());
  auto file = MR_TRY(disk_.open(file_path_, io::File::Mode::kRead));
  const uint64_t size = MR_TRY(file.size());
  const uint64_t proven = rows_.empty() ? 0 : rows_.back().position;
  for (;;) {
    MR_TRY(read_whole(file, size));
    if (is_done() && (how_.live_end || at_.base_offset == *stop_)) return {};
    if (!stop_ && at_.position >= proven) {
      to_.torn_bytes = MR_TRY(data_end(file, at_.position)) - at_.position;
      return {};
    }
    Damage damage{.file = file_path_,
                  .position = at_.position,
                  .offset = at_.base_offset,
                  .whole_from = std::nullopt,
                  .why = why_stopped_};
    if (is_done())
      damage.why = fmt::format("it goes on to offset {}, but the next segment begins at offset {}",
                               at_.base_offset, *stop_);
    bool goes_on = !is_done() && MR_TRY(go_on_behind(file, size, damage));
    to_.damages.push_back(std::move(damage));
    if (!goes_on) return {};
  }
}

// To the first bytes that are no batch, or to where the segment is to end.
Result<void> SegmentCheck::read_whole(const io::File& file, uint64_t size) {
  BatchScan scan(file, at_.position, at_.base_offset, size);
  while (!is_done()) {
    auto header = MR_TRY(scan.next());
    if (!header) break;
    at_.position = static_cast<uint32_t>(scan.position());
    at_.base_offset = scan.expected();
    at_.max_timestamp_ms = std::max(at_.max_timestamp_ms, header->max_timestamp_ms);
    MR_TRY(note(scan.batch(), *header));
  }
  why_stopped_ = scan.why_stopped();
  return {};
}

Result<void> SegmentCheck::note(std::string_view batch, const record::BatchHeader& header) {
  ++to_.batches;
  to_.records += header.count;
  to_.bytes += header.size_bytes;
  to_.end = header.next_offset();
  check_row();
  if (how_.each) MR_TRY(how_.each(batch, header));
  return {};
}

void SegmentCheck::check_row() {
  if (is_index_bad_ || next_row_ == rows_.size()) return;
  const auto& row = rows_[next_row_];
  if (row.position > at_.position) return;
  ++next_row_;
  if (row.position == at_.position && row.base_offset == at_.base_offset &&
      row.max_timestamp_ms == at_.max_timestamp_ms)
    return;
  is_index_bad_ = true;
  to_.bad_indexes.push_back(
      {index_path_,
       fmt::format("its row for offset {} at byte {} is not what the segment has there",
                   row.base_offset, row.position)});
}

// Finds the next whole batch, or the end, behind bytes that are none: right behind them by the
// length that they give, or at a row of the index. False: there is neither in this segment.
Result<bool> SegmentCheck::go_on_behind(const io::File& file, uint64_t size, Damage& damage) {
  std::vector<IndexRow> places;
  std::string front(record::kBatchHeaderSize, '\0');
  front.resize(MR_TRY(file.read_some_at(at_.position, front.data(), front.size())));
  if (auto header = check_header(front, at_.base_offset))
    places.push_back(
        {.base_offset = header->next_offset(),
         .position = static_cast<uint32_t>(at_.position + header->size_bytes),
         .max_timestamp_ms = std::max(at_.max_timestamp_ms, header->max_timestamp_ms)});
  for (const auto& row : rows_)
    if (row.position > at_.position) places.push_back(row);
  for (const auto& place : places) {
    bool is_end = stop_ ? place.base_offset == *stop_
                        : !rows_.empty() && place.position == rows_.back().position;
    BatchScan scan(file, place.position, place.base_offset, size);
    if (!is_end && !MR_TRY(scan.next())) continue;
    at_ = place;
    to_.end = place.base_offset;
    while (next_row_ < rows_.size() && rows_[next_row_].position <= place.position) ++next_row_;
    damage.whole_from = place.base_offset;
    return true;
  }
  return false;
}

}  // namespace

Result<std::vector<std::string>> topic_names(io::Disk& disk, const std::string& path) {
  std::vector<std::string> names;
  if (!MR_TRY(disk.file_exists(path))) return names;
  auto found = MR_TRY(disk.list_directory(path));
  for (auto& name : found)
    if (is_topic_name(name) &&
        MR_TRY(disk.file_exists(fmt::format("{}/{}/topic.json", path, name))))
      names.push_back(std::move(name));
  return names;
}

Result<TopicFacts> topic_facts(io::Disk& disk, const std::string& path, const std::string& topic) {
  auto file = MR_TRY(TopicFile::load(disk, fmt::format("{}/{}", path, topic)));
  return TopicFacts{.id = file.id, .partitions = file.partitions, .metadata = file.metadata};
}

std::string partition_folder(const std::string& path, std::string_view topic,
                             PartitionId partition) {
  return fmt::format("{}/{}/{}", path, topic, partition);
}

Result<Offset> partition_start(io::Disk& disk, const std::string& folder) {
  auto bases = MR_TRY(Segment::bases_in(disk, folder));
  return bases.front();
}

Result<PartitionCheck> verify_partition(io::Disk& disk, const std::string& folder,
                                        const Verification& how) {
  auto bases = MR_TRY(Segment::bases_in(disk, folder));
  PartitionCheck check;
  check.start = check.end = std::max(bases.front(), how.live_start.value_or(bases.front()));
  for (size_t i = 0; i < bases.size(); ++i) {
    std::optional<Offset> stop = how.live_end;
    if (i + 1 < bases.size()) stop = std::min(bases[i + 1], stop.value_or(bases[i + 1]));
    if (how.live_start && stop && *stop <= *how.live_start) continue;
    if (how.live_end && bases[i] >= *how.live_end) break;
    PartitionCheck found = check;
    auto checked = SegmentCheck(disk, folder, bases[i], stop, how, found).run();
    // The process that has the log open removes the oldest segments, while this one may be read.
    bool is_gone = how.live_end && !MR_TRY(disk.file_exists(Segment::path_of(folder, bases[i])));
    if (is_gone) continue;
    MR_TRY(std::move(checked));
    check = std::move(found);
    auto& damages = check.damages;
    bool ends_damaged = !damages.empty() && !damages.back().whole_from;
    if (ends_damaged && i + 1 < bases.size()) damages.back().whole_from = bases[i + 1];
  }
  return check;
}

}  // namespace millrace::log
