#include "log/segment.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "base/text.h"
#include "log/batch_scan.h"

namespace millrace::log {
namespace {

constexpr uint64_t kSegmentBytesMax = UINT32_MAX;  // a place in an index row has 32 bits

constexpr size_t kDigits = 20;
constexpr std::string_view kSegmentSuffix = ".segment";
constexpr std::string_view kIndexSuffix = ".index";
constexpr std::string_view kSpareSuffix = ".spare";

std::string named(const std::string& folder, Offset base_offset, std::string_view suffix) {
  return fmt::format("{}/{:020}{}", folder, base_offset.value, suffix);
}

// nullopt: not 20 digits and this suffix.
std::optional<Offset> offset_in(std::string_view file_name, std::string_view suffix) {
  if (file_name.size() != kDigits + suffix.size() || !file_name.ends_with(suffix))
    return std::nullopt;
  int64_t value = 0;
  const char* end = file_name.data() + kDigits;
  auto parsed = std::from_chars(file_name.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 0) return std::nullopt;
  return Offset(value);
}

}  // namespace

std::optional<Offset> Segment::base_offset_of(std::string_view file_name) {
  return offset_in(file_name, kSegmentSuffix);
}

std::optional<Offset> Segment::index_of(std::string_view file_name) {
  return offset_in(file_name, kIndexSuffix);
}

std::string Segment::path_of(const std::string& folder, Offset base_offset) {
  return named(folder, base_offset, kSegmentSuffix);
}

std::string Segment::index_path_of(const std::string& folder, Offset base_offset) {
  return named(folder, base_offset, kIndexSuffix);
}

Result<std::vector<Offset>> Segment::bases_in(io::Disk& disk, const std::string& folder) {
  std::vector<Offset> bases;
  auto names = MR_TRY(disk.list_directory(folder));
  for (const auto& name : names)
    if (auto base = base_offset_of(name)) bases.push_back(*base);
  if (bases.empty())
    return fail(ErrorCode::kCorrupt, "the partition {} has no segment file; restore it from a copy",
                folder);
  return bases;
}

bool Segment::is_spare(std::string_view file_name) {
  return offset_in(file_name, kSpareSuffix).has_value();
}

Segment::Segment(io::File file, std::string index_path, Offset base_offset, const Options& options,
                 Logger& logger)
    : file_(std::move(file)),
      index_path_(std::move(index_path)),
      base_offset_(base_offset),
      options_(options),
      logger_(logger),
      written_{.end = base_offset},
      flushed_{.end = base_offset},
      shown_{.end = base_offset},
      rows_{{.base_offset = base_offset}} {}

Result<std::shared_ptr<Segment>> Segment::create(const std::string& folder, Offset base_offset,
                                                 std::string& spare, const Options& options,
                                                 Logger& logger) {
  std::string index_path = index_path_of(folder, base_offset);
  // First the index: one left from an earlier segment of that name must not outlive it.
  auto index = MR_TRY(IndexFile::open(*options.disk, index_path, 0));
  std::string path = path_of(folder, base_offset);
  auto mode = io::File::Mode::kCreate;
  if (!spare.empty()) {
    auto renamed = options.disk->rename(spare, path);
    // Where it is gone, an earlier try renamed it and heard of an error.
    if (!renamed && renamed.error().code() != ErrorCode::kNotFound)
      return std::unexpected(std::move(renamed).error());
    if (renamed) mode = io::File::Mode::kReadWrite;
    spare.clear();
  }
  auto file = MR_TRY(options.disk->open(path, mode));
  uint64_t size = MR_TRY(file.size());
  MR_TRY(options.disk->sync_directory(folder));
  std::shared_ptr<Segment> segment(
      new Segment(std::move(file), std::move(index_path), base_offset, options, logger));
  segment->index_ = std::move(index);
  segment->allocated_bytes_ = size;
  return segment;
}

Result<std::shared_ptr<Segment>> Segment::open(const std::string& folder, Offset base_offset,
                                               std::optional<Offset> next_base,
                                               const Options& options, Logger& logger) {
  auto mode = options.read_only ? io::File::Mode::kRead : io::File::Mode::kReadWrite;
  auto file = MR_TRY(options.disk->open(path_of(folder, base_offset), mode));
  std::shared_ptr<Segment> segment(new Segment(std::move(file), index_path_of(folder, base_offset),
                                               base_offset, options, logger));
  MR_TRY(segment->recover(next_base));
  return segment;
}

Result<std::string> Segment::remove(io::Disk& disk, const std::string& folder, Offset base_offset,
                                    bool keep_file) {
  std::string spare;
  if (keep_file) {
    spare = named(folder, base_offset, kSpareSuffix);
    MR_TRY(disk.rename(path_of(folder, base_offset), spare));
  } else {
    MR_TRY(disk.remove_file(path_of(folder, base_offset)));
  }
  auto index = disk.remove_file(index_path_of(folder, base_offset));
  if (!index && index.error().code() != ErrorCode::kNotFound)
    return std::unexpected(std::move(index).error());
  MR_TRY(disk.sync_directory(folder));
  return spare;
}

Result<void> Segment::clear() {
  MR_TRY(file_.zero());
  return file_.sync_data();
}

Extent Segment::written() const {
  std::lock_guard lock(mutex_);
  return written_;
}

Extent Segment::shown() const {
  std::lock_guard lock(mutex_);
  return shown_;
}

bool Segment::has_room(size_t batch_bytes) const {
  std::lock_guard lock(mutex_);
  return written_.bytes == 0 || written_.bytes + batch_bytes <=
                                    std::max<uint64_t>(options_.segment_bytes, allocated_bytes_);
}

Result<void> Segment::reserve(size_t batch_bytes) {
  uint64_t needed = written().bytes + batch_bytes;
  if (needed <= allocated_bytes_) return {};
  if (needed > kSegmentBytesMax)
    return fail(ErrorCode::kLimit,
                "{} of records are too many for one partition at once, which takes {} at most: ask "
                "for smaller pages, or give the topic more partitions",
                format_bytes(needed), format_bytes(kSegmentBytesMax));
  uint64_t size = std::max<uint64_t>(needed, options_.segment_bytes);
  MR_TRY(file_.allocate(size));
  allocated_bytes_ = size;
  return {};
}

Result<void> Segment::write(std::string_view batch, const record::BatchHeader& header) {
  Extent end = written();
  MR_CHECK(end.bytes + batch.size() <= allocated_bytes_);
  // The batch belongs to the caller, so its header is rewritten in a copy.
  char front[record::kBatchHeaderSize];
  std::copy_n(batch.data(), sizeof front, front);
  record::set_base_offset(front, end.end);
  MR_TRY(file_.write_at(end.bytes, {front, sizeof front}, batch.substr(sizeof front)));
  note_written(header);
  return {};
}

void Segment::note_written(const record::BatchHeader& header) {
  std::lock_guard lock(mutex_);
  written_.end = written_.end + (int64_t{header.last_offset_delta} + 1);
  written_.bytes += header.size_bytes;
  written_.max_timestamp_ms = std::max(written_.max_timestamp_ms, header.max_timestamp_ms);
  if (written_.bytes - rows_.back().position >= limits::kIndexIntervalBytes)
    rows_.push_back(
        {written_.end, static_cast<uint32_t>(written_.bytes), written_.max_timestamp_ms});
}

Result<Extent> Segment::flush() {
  Extent target = written();
  MR_TRY(file_.sync_data());
  write_rows(target);
  std::lock_guard lock(mutex_);
  flushed_ = target;
  return target;
}

void Segment::show() {
  std::lock_guard lock(mutex_);
  shown_ = flushed_;
}

void Segment::write_rows(const Extent& flushed) {
  if (!index_) return;
  std::vector<IndexRow> rows;
  {
    std::lock_guard lock(mutex_);
    for (size_t i = index_->row_count() + 1; i < rows_.size(); ++i) {
      if (rows_[i].position > flushed.bytes) break;
      rows.push_back(rows_[i]);
    }
  }
  if (rows.empty()) return;
  auto appended = index_->append(rows);
  if (appended) return;
  logger_.warning("no more index rows are written for this segment; opening it will take longer",
                  {{"file", index_path_}, {"error", appended.error().message()}});
  index_.reset();
}

void Segment::add_end_row() {
  std::lock_guard lock(mutex_);
  if (rows_.back().position < written_.bytes)
    rows_.push_back(
        {written_.end, static_cast<uint32_t>(written_.bytes), written_.max_timestamp_ms});
}

void Segment::seal() {
  Extent end = written();
  {
    std::lock_guard lock(mutex_);
    if (flushed_.bytes != end.bytes) return;
  }
  add_end_row();
  write_rows(end);
  index_.reset();
}

Result<Extent> Segment::extent_before(Offset end) const {
  Extent extent{.end = base_offset_};
  uint64_t file_end;
  {
    std::lock_guard lock(mutex_);
    for (const auto& row : rows_)
      if (row.base_offset <= end) extent = {row.base_offset, row.position, row.max_timestamp_ms};
    file_end = shown_.bytes;
  }
  BatchScan scan(file_, extent.bytes, extent.end, file_end);
  while (extent.end < end) {
    auto header = MR_TRY(scan.next());
    if (!header) return corrupt(scan.position(), scan.why_stopped());
    extent = {scan.expected(), scan.position(),
              std::max(extent.max_timestamp_ms, header->max_timestamp_ms)};
  }
  if (extent.end != end)
    return fail(ErrorCode::kInvalid, "cannot cut {} at offset {}: no batch begins there",
                file_.path(), end);
  return extent;
}

Result<void> Segment::cut_file(const Extent& kept) {
  // Rows promise that what is before them is on disk, so they go first, durably.
  auto rows = MR_TRY(IndexFile::load(*options_.disk, index_path_));
  std::erase_if(rows, [&](const IndexRow& row) { return row.position > kept.bytes; });
  index_ = MR_TRY(IndexFile::open(*options_.disk, index_path_, rows.size()));
  MR_TRY(file_.truncate(kept.bytes));
  MR_TRY(file_.sync_data());
  allocated_bytes_ = kept.bytes;
  return {};
}

void Segment::forget_behind(const Extent& kept) {
  std::lock_guard lock(mutex_);
  std::erase_if(rows_, [&](const IndexRow& row) { return row.position > kept.bytes; });
  written_ = flushed_ = shown_ = kept;
}

std::unexpected<Error> Segment::corrupt(uint64_t position, std::string_view why) const {
  return fail(ErrorCode::kCorrupt,
              "the log file {} is damaged at byte {}: {}; 'millrace doctor' says what can be "
              "mended",
              file_.path(), position, why);
}

}  // namespace millrace::log
