#include "pipeline/produce.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "pipeline/dead_letters.h"
#include "pipeline/inspect.h"
#include "sql/chunk.h"
#include "sql/json_decoder.h"
#include "topic/topic_definition.h"

namespace millrace::pipeline {
namespace {

// What a line is decoded into. The key is to be whole.
schema::Columns columns_of(const topic::TopicDefinition& topic, bool are_tombstones) {
  auto columns = are_tombstones ? topic::columns_of(topic.key, topic.columns) : topic.columns;
  for (auto& column : columns) {
    if (std::ranges::find(topic.key, column.name) == topic.key.end()) continue;
    column.nullable = false;
    column.required = true;
  }
  return columns;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

class LineReader {
 public:
  LineReader(const topic::TopicDefinition& topic, bool are_tombstones, topic::PageWriter& writer)
      : topic_(topic),
        are_tombstones_(are_tombstones),
        writer_(writer),
        chunk_(columns_of(topic, are_tombstones)),
        decoder_(chunk_.columns(),
                 are_tombstones ? sql::UnknownFields::kPassOver : sql::UnknownFields::kRefuse) {}

  Result<void> add(std::string_view line, int64_t number) {
    if (rows_ == sql::kChunkRows) MR_TRY(finish());
    if (rows_ == 0) decoder_.begin(chunk_.begin());
    if (!decoder_.decode(line, rows_))
      return fail(ErrorCode::kInvalid, "line {}: {}", number, decoder_.error());
    numbers_[rows_++] = number;
    return {};
  }

  // The rows of the lines so far are in the writer when it returns.
  Result<void> finish() {
    if (rows_ == 0) return {};
    auto rows = chunk_.finish(std::exchange(rows_, 0));
    if (are_tombstones_) {
      writer_.tombstones(rows);
      return {};
    }
    MR_TRY(writer_.rows(rows, records_, keep_));
    if (writer_.too_large().empty()) return {};
    return fail(ErrorCode::kLimit, "line {}: it makes a record of more than {} for topic {}",
                numbers_[writer_.too_large().front()], format_bytes(limits::kRecordBytesMax),
                topic_.name);
  }

 private:
  const topic::TopicDefinition& topic_;
  const bool are_tombstones_;
  topic::PageWriter& writer_;
  sql::Chunk chunk_;
  sql::JsonDecoder decoder_;
  size_t rows_ = 0;
  std::vector<int64_t> numbers_ = std::vector<int64_t>(sql::kChunkRows);  // of the rows' lines
  const std::vector<uint8_t> keep_ = std::vector<uint8_t>(sql::kChunkRows, 1);
  const std::vector<int32_t> records_ = [] {
    std::vector<int32_t> each(sql::kChunkRows);
    std::iota(each.begin(), each.end(), 0);
    return each;
  }();
};

}  // namespace

Result<void> read_lines(const topic::TopicDefinition& topic, const Lines& lines,
                        topic::PageWriter& writer) {
  if (lines.are_tombstones && topic.key.empty())
    return fail(ErrorCode::kInvalid,
                "topic {} has no key, so a record without a value would say nothing", topic.name);
  LineReader reader(topic, lines.are_tombstones, writer);
  auto rest = lines.text;
  for (auto number = lines.first; !rest.empty(); ++number) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!is_blank(line)) MR_TRY(reader.add(line, number));
  }
  return reader.finish();
}

Produced produced_by(const topic::PageWriter& writer) {
  Produced produced{.records = 0, .partitions = writer.appended()};
  for (const auto& part : produced.partitions) produced.records += part.end - part.first;
  return produced;
}

Result<Produced> produce(Instance& instance, std::string_view topic_name, const Lines& lines) {
  auto* topic = MR_TRY(find_topic(instance, topic_name));
  if (is_dead_letters_topic(topic_name))
    return fail(ErrorCode::kInvalid, "{} has records that were refused, and takes no others",
                topic_name);
  return instance.produce(*topic, lines);
}

Producer::Producer(log::Topic& topic, topic::TopicDefinition definition, SourceCursor cursor,
                   int64_t last_timestamp_ms, io::Clock& clock)
    : definition_(std::move(definition)),
      clock_(clock),
      writer_(topic, definition_, definition_.columns),
      cursor_(std::move(cursor)),
      last_timestamp_ms_(last_timestamp_ms) {}

Result<std::unique_ptr<Producer>> Producer::open(log::Log& log, log::Topic& topic,
                                                 const CursorFolder& cursor_folder,
                                                 io::Clock& clock) {
  MR_TRY(recover_page(topic));
  auto definition = MR_TRY(topic::definition_of(topic));
  auto cursor = MR_TRY(find_cursor(topic, cursor_folder)).value_or(SourceCursor{});
  auto last_timestamp_ms = topic::last_timestamp_ms(topic);
  // Of a page of its source that did not come: its number becomes that of the first page here.
  auto id = to_string(topic.id());
  if (!cursor.source.empty()) {
    DeadLetterWriter letters(log, cursor.source, 1);
    MR_TRY(letters.check());
    MR_TRY(letters.take_back(
        {.topic = cursor.source, .partition = cursor.cursor.sequence + 1, .offset = 0, .fed = id}));
  }
  return std::unique_ptr<Producer>(
      new Producer(topic, std::move(definition), std::move(cursor), last_timestamp_ms, clock));
}

Result<Produced> Producer::produce(const Lines& lines) {
  std::scoped_lock turn(turns_);
  last_timestamp_ms_ = std::max(last_timestamp_ms_, clock_.now_micros() / 1'000);
  writer_.begin(last_timestamp_ms_);
  MR_TRY(read_lines(definition_, lines, writer_));
  if (writer_.row_count() == 0) return Produced{};
  auto next = cursor_;
  ++next.cursor.sequence;
  MR_TRY(writer_.append(source::kCursorHeader, source::to_json(next.cursor, next.source)));
  cursor_ = std::move(next);
  return produced_by(writer_);
}

}  // namespace millrace::pipeline
