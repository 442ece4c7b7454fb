// A page of rows -> record batches, appended as one.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/place.h"
#include "log/log.h"
#include "record/record.h"
#include "sql/record_format.h"
#include "sql/transform.h"
#include "topic/key.h"
#include "topic/topic_definition.h"

namespace millrace::topic {

// Counts the partitions that a page was written to; a header beside the page's cursor.
inline constexpr std::string_view kPagePartitionsHeader = "millrace.page.partitions";

// Marks the last record of a batch that its page does not end with: more of it follows in the
// partition, and the last batch has the cursor.
inline constexpr std::string_view kPageGoesOnHeader = "millrace.page.goes_on";

// What of a page one partition got.
struct Appended {
  PartitionId partition;
  Offset first;
  Offset end;
};

// An item that its source refused, and that is taken later.
struct LateItem {
  int64_t timestamp_ms = 0;
  std::vector<Offset> before;  // by partition: where its row would have stood; none: not known
  Offset dead_letter;
};

// Collects a page's rows, then appends them with the page's cursor.
class PageWriter : public sql::TransformOutput {
 public:
  // `columns`: of the rows; those of `definition.key` are among them, and where the values are Avro
  // they are the definition's.
  PageWriter(log::Topic& topic, const TopicDefinition& definition, const schema::Columns& columns);

  // Starts a page whose records carry this timestamp.
  void begin(int64_t timestamp_ms);
  // The same where each row carries the timestamp and the place of the item it comes from.
  void begin(std::span<const LateItem> items);
  Result<void> rows(const sql::Rows& rows, std::span<const int32_t> record_of,
                    std::span<const uint8_t> keep) override;
  // Records without a value. `keys`: the definition's key columns, none of them NULL.
  void tombstones(const sql::Rows& keys);
  size_t row_count() const { return row_count_; }
  // Positions of the records one of whose rows is larger than limits::kRecordBytesMax: the page is
  // to be made again without them.
  const std::vector<size_t>& too_large() const { return too_large_; }
  // For each of `items`, which ascend, as text where a row of it would have stood: kPlaceHeader.
  std::vector<std::string> places_of(std::span<const size_t> items) const;

  // Appends the page; `cursor` becomes a header of the last record of each partition's batch.
  // On disk when it returns. Without rows there is nothing to append and nothing is kept.
  // Errors: what the log says, and what check() says; the page is not there unless check() fails.
  Result<void> append(std::string_view cursor_header, std::string_view cursor);
  // Where the page that was appended is.
  std::vector<Appended> appended() const;
  // Fails (kIo) once an error came while a page was being written to the topic, by this writer or
  // an earlier one: it may be there, whole or in part. No other is taken, and nothing is to be done
  // that takes it for there or for gone, until recover_page() finds out at the next start.
  Result<void> check() const;

 private:
  // The row before the next one of its partition: the last one gets the cursor.
  struct PartitionPage {
    std::vector<std::string> full;  // batches that the page does not end with
    record::BatchBuilder batch;
    std::optional<std::string> key;
    std::optional<std::string> value;
    int64_t timestamp_ms = 0;
    std::optional<Place> place;  // where it is not that of its offset
    bool pending = false;
    Offset first;
    Offset end;
    size_t pending_bytes() const { return (value ? value->size() : 0) + (key ? key->size() : 0); }
  };
  // A row that is in the page.
  struct Row {
    size_t item;
    size_t partition;
  };
  void set_time(PartitionPage& page, size_t partition, size_t item);
  void add_pending(PartitionPage& page, std::span<const record::Header> headers);
  void add_earlier(PartitionPage& page);
  // Puts the row's key into key_; the partition it goes to.
  size_t partition_for(const sql::Rows& rows, size_t row, const KeyWriter& key_writer);
  // The same, where a record of that key is pending then.
  size_t begin_record(const sql::Rows& rows, size_t row, const KeyWriter& key_writer);

  log::Topic& topic_;
  std::unique_ptr<sql::RecordWriter> writer_;
  KeyWriter key_writer_;
  KeyWriter tombstone_key_writer_;
  std::vector<PartitionPage> partitions_;
  std::optional<std::string> key_;
  int64_t timestamp_ms_ = 0;
  std::span<const LateItem> late_;  // none: all rows have timestamp_ms_
  std::vector<Row> rows_;
  size_t row_count_ = 0;
  std::vector<size_t> too_large_;
  size_t keyless_rows_ = 0;  // spread over the partitions in turn
};

// After a crash: takes back the newest page where it did not reach all its partitions. Before
// anyone reads the topic.
Result<void> recover_page(log::Topic& topic, std::string_view cursor_header,
                          const std::function<Result<int64_t>(std::string_view)>& sequence_of);

// A record's headers, owned, and where its batch begins.
struct HeadersOfRecord {
  std::vector<std::pair<std::string, std::string>> headers;
  Offset batch_start;
  // "" where there is no such header.
  std::string_view value(std::string_view key) const;
};
// Of the last record of a batch that has `header`, searching back from the partition's end;
// nullopt if there is none.
Result<std::optional<HeadersOfRecord>> find_last_with_header(log::Partition& partition,
                                                             std::string_view header);

// The largest timestamp of a topic's records, 0 where it is empty. The last record's may be
// smaller: of an item that was taken late.
int64_t last_timestamp_ms(log::Topic& topic);

}  // namespace millrace::topic
