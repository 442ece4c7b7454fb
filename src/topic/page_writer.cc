#include "topic/page_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

namespace millrace::topic {
namespace {

// Of a page's cursor, with all the items that it remembers.
constexpr size_t kCursorBytesMax = size_t{1} << 20;
static_assert(limits::kSeenItemsMax * 48 + (64 << 10) < kCursorBytesMax);
// Of one page in one partition: its last record and its cursor must still fit.
constexpr size_t kPageBytesMax = limits::kBatchBytesMax / 2 - kCursorBytesMax;
static_assert(kPageBytesMax + limits::kRecordBytesMax + kCursorBytesMax <= limits::kBatchBytesMax);

}  // namespace

PageWriter::PageWriter(log::Topic& topic, const TopicDefinition& definition,
                       const schema::Columns& columns)
    : topic_(topic),
      writer_(sql::make_writer(columns, definition.avro.get())),
      key_writer_(columns, definition.key),
      partitions_(static_cast<size_t>(topic.partition_count())) {
  MR_CHECK(definition.avro == nullptr ||
           (definition.avro->written_id() != 0 && definition.columns == columns));
}

void PageWriter::begin(int64_t timestamp_ms) {
  timestamp_ms_ = timestamp_ms;
  row_count_ = 0;
  for (auto& page : partitions_) {
    page.batch.clear();
    page.pending = false;
  }
}

size_t PageWriter::partition_for(const sql::Rows& rows, size_t row) {
  size_t count = partitions_.size();
  if (key_)
    key_->clear();
  else
    key_.emplace();
  if (!key_writer_.append(rows, row, *key_)) {
    key_.reset();
    return keyless_rows_++ % count;
  }
  if (count == 1) return 0;
  return static_cast<size_t>(partition_of(*key_, static_cast<int32_t>(count)).value);
}

void PageWriter::add_pending(PartitionPage& page, std::span<const record::Header> headers) {
  page.batch.append(timestamp_ms_, page.key, page.value, headers);
}

Result<void> PageWriter::rows(const sql::Rows& rows, std::span<const int32_t>,
                              std::span<const uint8_t> keep) {
  for (size_t row = 0; row < rows.count; ++row) {
    if (keep[row] == 0) continue;
    ++row_count_;
    auto& page = partitions_[partition_for(rows, row)];
    // What was pending is no longer the partition's last row.
    if (page.pending) add_pending(page, {});
    page.pending = true;
    std::swap(page.key, key_);
    page.value.clear();
    writer_->append(rows, row, page.value);
    size_t bytes = page.value.size() + (page.key ? page.key->size() : 0);
    if (bytes > limits::kRecordBytesMax)
      return fail(ErrorCode::kLimit, "a row for topic {} makes a record of {}; at most {} fit",
                  topic_.name(), format_bytes(bytes), format_bytes(limits::kRecordBytesMax));
    if (page.batch.size_bytes() + bytes > kPageBytesMax)
      return fail(ErrorCode::kLimit,
                  "one page makes more than {} for a partition of topic {}: ask the API for fewer "
                  "items a page",
                  format_bytes(kPageBytesMax), topic_.name());
  }
  return {};
}

Result<void> PageWriter::append(std::string_view cursor_header, std::string_view cursor) {
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
  auto reserve = [&](PartitionPage& page, log::Partition& partition) {
    add_pending(page, headers);
    return partition.reserve(page.batch.size_bytes());
  };
  auto write = [](PartitionPage& page, log::Partition& partition) -> Result<void> {
    MR_TRY(partition.write(page.batch.finish()));
    return {};
  };
  auto flush = [](PartitionPage&, log::Partition& partition) { return partition.flush(); };
  auto sync = [](PartitionPage&, log::Partition& partition) { return partition.sync(); };
  if (is_half_written_)
    return fail(ErrorCode::kIo,
                "an earlier page of topic {} is there in part; start again, and it is taken back",
                topic_.name());
  // A full disk is found before the first partition is written: the page is tried again whole.
  MR_TRY(for_each_used(reserve));
  is_half_written_ = true;
  MR_TRY(for_each_used(write));
  // No partition shows its part before all have theirs on disk.
  if (used > 1) MR_TRY(for_each_used(flush));
  MR_TRY(for_each_used(sync));
  is_half_written_ = false;
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
    auto bytes = MR_TRY(partition.read(end + -1, 1, buffer));
    auto batch = MR_TRY(record::BatchReader::open(bytes));
    record::RecordView record;
    record::RecordView last;
    while (MR_TRY(batch.next(record))) last = record;
    HeadersOfRecord found{.headers = {}, .batch_start = batch.header().base_offset};
    for (const auto& [key, value] : MR_TRY(record::headers_of(last)))
      found.headers.emplace_back(key, value.value_or(""));
    if (!found.value(header).empty()) return found;
    end = batch.header().base_offset;
  }
  return std::nullopt;
}

Result<int64_t> last_timestamp_ms(log::Topic& topic) {
  int64_t last = 0;
  std::string buffer;
  for (int32_t i = 0; i < topic.partition_count(); ++i) {
    auto& partition = topic.partition(PartitionId(i));
    if (partition.end_offset() <= partition.start_offset()) continue;
    auto bytes = MR_TRY(partition.read(partition.end_offset() + -1, 1, buffer));
    auto header = MR_TRY(record::parse_batch_header(bytes));
    last = std::max(last, header.max_timestamp_ms);
  }
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
  for (const auto& [partition, record, sequence] : newest)
    MR_TRY(topic.partition(partition).truncate(record.batch_start));
  return {};
}

}  // namespace millrace::topic
