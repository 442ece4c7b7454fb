#include "topic/page_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "topic/place.h"

namespace millrace::topic {
namespace {

// Of a page's cursor, with all the items that it remembers.
constexpr size_t kCursorBytesMax = size_t{1} << 20;
static_assert(limits::kSeenItemsMax * 48 + (64 << 10) < kCursorBytesMax);
// Then a batch is full and the page goes on in another one; one more record still fits, and the
// cursor.
constexpr size_t kFullBytes = limits::kBatchBytesMax / 4;
static_assert(kFullBytes + limits::kRecordBytesMax + 2 * kCursorBytesMax <= limits::kBatchBytesMax);

struct LastRecord {
  Offset batch_start;
  std::vector<record::Header> headers;  // borrowed from the buffer
};

// Of the batch that ends before `end`, which is past the partition's start.
Result<LastRecord> last_record_before(log::Partition& partition, Offset end, std::string& buffer) {
  auto bytes = MR_TRY(partition.read(end + -1, 1, buffer));
  auto batch = MR_TRY(record::BatchReader::open(bytes));
  record::RecordView record;
  record::RecordView last;
  while (MR_TRY(batch.next(record))) last = record;
  auto headers = MR_TRY(record::headers_of(last));
  return LastRecord{.batch_start = batch.header().base_offset, .headers = std::move(headers)};
}

// Where the batches that belong to the page of the batch at `end` begin: those before it whose
// page goes on.
Result<Offset> page_start(log::Partition& partition, Offset end) {
  std::string buffer;
  while (end > partition.start_offset()) {
    auto last = MR_TRY(last_record_before(partition, end, buffer));
    if (std::ranges::find(last.headers, kPageGoesOnHeader, &record::Header::key) ==
        last.headers.end())
      break;
    end = last.batch_start;
  }
  return end;
}

}  // namespace

PageWriter::PageWriter(log::Topic& topic, const TopicDefinition& definition,
                       const schema::Columns& columns)
    : topic_(topic),
      writer_(sql::make_writer(columns, definition.avro.get())),
      key_writer_(columns, definition.key),
      tombstone_key_writer_(columns_of(definition.key, columns), definition.key),
      partitions_(static_cast<size_t>(topic.partition_count())) {
  MR_CHECK(definition.avro == nullptr ||
           (definition.avro->written_id() != 0 && definition.columns == columns));
}

void PageWriter::begin(int64_t timestamp_ms) {
  timestamp_ms_ = timestamp_ms;
  late_ = {};
  rows_.clear();
  row_count_ = 0;
  too_large_.clear();
  for (auto& page : partitions_) {
    page.full.clear();
    page.batch.clear();
    page.pending = false;
  }
}

void PageWriter::begin(std::span<const LateItem> items) {
  begin(0);
  late_ = items;
}

size_t PageWriter::partition_for(const sql::Rows& rows, size_t row, const KeyWriter& key_writer) {
  size_t count = partitions_.size();
  if (key_)
    key_->clear();
  else
    key_.emplace();
  if (!key_writer.append(rows, row, *key_)) {
    key_.reset();
    return keyless_rows_++ % count;
  }
  if (count == 1) return 0;
  return static_cast<size_t>(partition_of(*key_, static_cast<int32_t>(count)).value);
}

size_t PageWriter::begin_record(const sql::Rows& rows, size_t row, const KeyWriter& key_writer) {
  ++row_count_;
  size_t partition = partition_for(rows, row, key_writer);
  auto& page = partitions_[partition];
  if (page.pending) add_earlier(page);
  page.pending = true;
  std::swap(page.key, key_);
  return partition;
}

void PageWriter::add_pending(PartitionPage& page, std::span<const record::Header> headers) {
  if (!page.place) return page.batch.append(page.timestamp_ms, page.key, page.value, headers);
  std::string place = to_text(*page.place);
  std::vector<record::Header> all(headers.begin(), headers.end());
  all.push_back({kPlaceHeader, place});
  page.batch.append(page.timestamp_ms, page.key, page.value, all);
}

// The time and place of the pending row, which comes from this item.
void PageWriter::set_time(PartitionPage& page, size_t partition, size_t item) {
  page.timestamp_ms = timestamp_ms_;
  page.place.reset();
  if (late_.empty()) return;
  const auto& late = late_[item];
  page.timestamp_ms = late.timestamp_ms;
  if (partition < late.before.size())
    page.place = {.offset = late.before[partition], .dead_letter = late.dead_letter.value};
}

Result<void> PageWriter::rows(const sql::Rows& rows, std::span<const int32_t> record_of,
                              std::span<const uint8_t> keep) {
  for (size_t row = 0; row < rows.count; ++row) {
    if (keep[row] == 0) continue;
    size_t partition = begin_record(rows, row, key_writer_);
    auto& page = partitions_[partition];
    auto item = static_cast<size_t>(record_of[row]);
    rows_.push_back({.item = item, .partition = partition});
    set_time(page, partition, item);
    if (page.value)
      page.value->clear();
    else
      page.value.emplace();
    writer_->append(rows, row, *page.value);
    if (page.pending_bytes() <= limits::kRecordBytesMax) continue;
    page.pending = false;
    if (too_large_.empty() || too_large_.back() != item) too_large_.push_back(item);
  }
  return {};
}

void PageWriter::tombstones(const sql::Rows& keys) {
  for (size_t row = 0; row < keys.count; ++row) {
    auto& page = partitions_[begin_record(keys, row, tombstone_key_writer_)];
    page.timestamp_ms = timestamp_ms_;
    page.place.reset();
    page.value.reset();
  }
}

std::vector<std::string> PageWriter::places_of(std::span<const size_t> items) const {
  std::vector<Offset> next;
  for (size_t i = 0; i < partitions_.size(); ++i)
    next.push_back(topic_.partition(PartitionId(static_cast<int32_t>(i))).end_offset());
  std::string text = to_text(next);
  std::vector<std::string> places;
  auto row = rows_.begin();
  for (size_t item : items) {
    auto from = row;
    for (; row != rows_.end() && row->item < item; ++row)
      next[row->partition] = next[row->partition] + 1;
    if (row != from) text = to_text(next);
    places.push_back(text);
  }
  return places;
}

// The pending row, which is no longer its partition's last one.
void PageWriter::add_earlier(PartitionPage& page) {
  if (page.batch.size_bytes() + page.pending_bytes() <= kFullBytes) return add_pending(page, {});
  const std::array<record::Header, 1> goes_on = {{{kPageGoesOnHeader, "1"}}};
  add_pending(page, goes_on);
  page.full.emplace_back(page.batch.finish());
  page.batch.clear();
}

Result<void> PageWriter::append(std::string_view cursor_header, std::string_view cursor) {
  MR_CHECK(too_large_.empty());
  auto used = std::ranges::count(partitions_, true, &PartitionPage::pending);
  std::string used_text = std::to_string(used);
  const std::array<record::Header, 2> headers = {
      {{cursor_header, cursor}, {kPagePartitionsHeader, used_text}}};
  auto for_each_used = [&](auto&& act) -> Result<void> {
    for (size_t i = 0; i < partitions_.size(); ++i)
      if (partitions_[i].pending)
        MR_TRY(act(partitions_[i], topic_.partition(PartitionId(static_cast<int32_t>(i)))));
    return {};
  };
  std::vector<log::ReservedSpace> space;
  auto reserve = [&](PartitionPage& page, log::Partition& partition) -> Result<void> {
    add_pending(page, headers);
    size_t bytes = page.batch.size_bytes();
    for (const auto& batch : page.full) bytes += batch.size();
    space.push_back(MR_TRY(partition.reserve(bytes)));
    return {};
  };
  auto write = [](PartitionPage& page, log::Partition& partition) -> Result<void> {
    std::optional<Offset> first;
    for (const auto& batch : page.full) {
      Offset base = MR_TRY(partition.write(batch));
      if (!first) first = base;
    }
    Offset last = MR_TRY(partition.write(page.batch.finish()));
    page.first = first.value_or(last);
    page.end = last + page.batch.count();
    return {};
  };
  auto flush = [](PartitionPage&, log::Partition& partition) { return partition.flush(); };
  auto show = [](PartitionPage&, log::Partition& partition) -> Result<void> {
    partition.show();
    return {};
  };
  MR_TRY(check());
  // A full disk is found before the first partition is written: the page is tried again whole.
  MR_TRY(for_each_used(reserve));
  MR_TRY(for_each_used(write));
  // No partition shows its part before all have theirs on disk.
  MR_TRY(for_each_used(flush));
  MR_TRY(for_each_used(show));
  return {};
}

std::vector<Appended> PageWriter::appended() const {
  std::vector<Appended> result;
  for (size_t i = 0; i < partitions_.size(); ++i) {
    const auto& page = partitions_[i];
    if (page.pending)
      result.push_back({PartitionId(static_cast<int32_t>(i)), page.first, page.end});
  }
  return result;
}

Result<void> PageWriter::check() const {
  for (int32_t i = 0; i < topic_.partition_count(); ++i)
    MR_TRY(topic_.partition(PartitionId(i)).check_whole());
  return {};
}

std::string_view HeadersOfRecord::value(std::string_view key) const {
  auto found = std::ranges::find(headers, key, &std::pair<std::string, std::string>::first);
  return found == headers.end() ? "" : std::string_view(found->second);
}

Result<std::optional<HeadersOfRecord>> find_last_with_header(log::Partition& partition,
                                                             std::string_view header) {
  std::string buffer;
  Offset end = partition.end_offset();
  while (end > partition.start_offset()) {
    auto last = MR_TRY(last_record_before(partition, end, buffer));
    HeadersOfRecord found{.headers = {}, .batch_start = last.batch_start};
    for (const auto& [key, value] : last.headers)
      found.headers.emplace_back(key, value.value_or(""));
    if (!found.value(header).empty()) return found;
    end = last.batch_start;
  }
  return std::nullopt;
}

int64_t last_timestamp_ms(log::Topic& topic) {
  int64_t last = 0;
  for (int32_t i = 0; i < topic.partition_count(); ++i)
    last = std::max(last, topic.partition(PartitionId(i)).max_timestamp_ms().value_or(0));
  return last;
}

Result<void> recover_page(log::Topic& topic, std::string_view cursor_header,
                          const std::function<Result<int64_t>(std::string_view)>& sequence_of) {
  struct Newest {
    PartitionId partition;
    HeadersOfRecord record;
    int64_t sequence;
  };
  std::vector<Newest> newest;
  for (int32_t i = 0; i < topic.partition_count(); ++i) {
    auto& log_partition = topic.partition(PartitionId(i));
    Offset whole = MR_TRY(page_start(log_partition, log_partition.end_offset()));
    if (whole < log_partition.end_offset()) MR_TRY(log_partition.truncate(whole));
    auto found = MR_TRY(find_last_with_header(topic.partition(PartitionId(i)), cursor_header));
    if (!found) continue;
    int64_t sequence = MR_TRY(sequence_of(found->value(cursor_header)));
    if (!newest.empty() && sequence < newest.front().sequence) continue;
    if (!newest.empty() && sequence > newest.front().sequence) newest.clear();
    newest.push_back({PartitionId(i), *std::move(found), sequence});
  }
  if (newest.empty()) return {};
  std::string_view text = newest.front().record.value(kPagePartitionsHeader);
  size_t wanted = 0;
  std::from_chars(text.data(), text.data() + text.size(), wanted);
  if (newest.size() >= wanted) return {};
  for (const auto& [partition, record, sequence] : newest) {
    auto& log_partition = topic.partition(partition);
    Offset start = MR_TRY(page_start(log_partition, record.batch_start));
    MR_TRY(log_partition.truncate(start));
  }
  return {};
}

}  // namespace millrace::topic
