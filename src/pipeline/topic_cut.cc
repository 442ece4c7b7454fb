#include "pipeline/topic_cut.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "base/text.h"
#include "log/cut.h"
#include "log/verify.h"
#include "pipeline/dead_letters.h"
#include "pipeline/source_ledger.h"
#include "record/record.h"
#include "source/cursor.h"
#include "table/table_definition.h"
#include "topic/page_writer.h"

namespace millrace::pipeline {
namespace {

constexpr size_t kCursorFileBytesMax = size_t{4} << 20;

// A batch of a topic, as far as its page matters.
struct PageBatch {
  Offset base;
  Offset next;
  bool goes_on = false;                // its page has more batches behind it
  std::optional<SourceCursor> cursor;  // of the page that ends with it
};

Result<PageBatch> page_batch(std::string_view bytes) {
  auto batch = MR_TRY(record::BatchReader::open(bytes));
  record::RecordView record;
  record::RecordView last;
  while (MR_TRY(batch.next(record))) last = record;
  PageBatch found{.base = batch.header().base_offset, .next = batch.header().next_offset()};
  for (const auto& [key, value] : MR_TRY(record::headers_of(last))) {
    if (key == topic::kPageGoesOnHeader) found.goes_on = true;
    if (key == source::kCursorHeader)
      found.cursor = MR_TRY(parse_source_cursor(value.value_or("")));
  }
  return found;
}

// A table's progress after the records from `end` on are gone, `open` of whose dead letters were
// open and `closed` no longer.
Result<store::Progress> set_back(store::Progress progress, Offset end, int64_t open,
                                 int64_t closed) {
  int64_t taken = progress.written + progress.filtered;
  int64_t lost = progress.next - end - open;
  if (lost < 0 || lost > taken || open > progress.dead_letters)
    return fail(ErrorCode::kCorrupt,
                "its counts are not right: empty it first, with 'table rebuild'");
  auto share =
      taken == 0 ? 0.0 : static_cast<double>(progress.filtered) / static_cast<double>(taken);
  auto filtered =
      std::clamp(static_cast<int64_t>(static_cast<double>(lost) * share + 0.5),
                 std::max<int64_t>(0, lost - progress.written), std::min(lost, progress.filtered));
  progress.next = end;
  progress.filtered -= filtered;
  progress.written -= lost - filtered;
  progress.dead_letters -= open;
  progress.redriven =
      std::clamp<int64_t>(progress.redriven - closed, 0, progress.written + progress.filtered);
  return progress;
}

}  // namespace

Result<TopicPlace> parse_topic_place(std::string_view text) {
  auto address = parse_dead_letter_address(text);
  if (!address)
    return fail(ErrorCode::kInvalid, "'{}' is no place in a topic: TOPIC/PARTITION/OFFSET", text);
  return TopicPlace{.topic = std::move(address->node),
                    .partition = PartitionId(address->partition),
                    .offset = Offset(address->offset)};
}

class TopicCutPlanner {
 public:
  TopicCutPlanner(TopicCut& cut, const TopicPlace& place, Logger& logger, io::Clock& clock)
      : cut_(cut), directory_(cut.directory_), place_(place), logger_(logger), clock_(clock) {}

  Result<void> run();

 private:
  // What of a partition stays.
  struct Kept {
    Offset end;
    int64_t lost = 0;
    std::optional<SourceCursor> cursor;  // the newest
    bool ends_damaged = false;           // there is damage, so who knows which pages had more here
  };

  Result<void> check_place();
  Result<void> find_lost_pages();
  Result<Kept> keep(PartitionId partition, std::optional<Offset> most) const;
  Result<void> keep_whole_pages();
  Result<void> plan_source();
  Result<void> plan_source_letters();
  Result<void> plan_ledger(int64_t redriven, Offset letters_end);
  Result<void> plan_tables();
  Result<void> plan_table(const store::TablePtr& table, PartitionId partition, Offset end);
  Result<void> plan_table_letters(const store::TablePtr& table);
  Result<log::PartitionCheck> walk(
      const std::string& topic, PartitionId partition,
      const std::function<Result<void>(std::string_view batch)>& each) const;
  std::string name_of(PartitionId partition) const {
    return fmt::format("{}/{}", place_.topic, partition);
  }

  TopicCut& cut_;
  const DataDirectory& directory_;
  const TopicPlace& place_;
  Logger& logger_;
  io::Clock& clock_;

  log::TopicFacts facts_;
  bool loses_pages_ = false;
  std::string source_;                // whose pages they are
  int64_t last_page_ = 0;             // that stays, where any are lost
  std::map<PartitionId, Kept> kept_;  // of the partitions that are cut
  std::optional<SourceCursor> newest_;
};

Result<log::PartitionCheck> TopicCutPlanner::walk(
    const std::string& topic, PartitionId partition,
    const std::function<Result<void>(std::string_view batch)>& each) const {
  log::Verification how;
  how.each = [&](std::string_view batch, const record::BatchHeader&) { return each(batch); };
  auto folder = log::partition_folder(directory_.log(), topic, partition);
  return log::verify_partition(directory_.disk(), folder, how);
}

Result<void> TopicCutPlanner::run() {
  MR_TRY(check_place());
  MR_TRY(find_lost_pages());
  MR_TRY(keep_whole_pages());
  for (const auto& [partition, kept] : kept_)
    cut_.words_.push_back(fmt::format("{} ends at offset {}: {} records are removed",
                                      name_of(partition), with_thousands(kept.end.value),
                                      with_thousands(kept.lost)));
  if (loses_pages_ && !source_.empty()) MR_TRY(plan_source());
  MR_TRY(plan_tables());
  // The one that is named comes last: as long as it is not cut, all can be done again.
  for (const auto& [partition, kept] : kept_)
    if (partition != place_.partition) cut_.cuts_.push_back({place_.topic, partition, kept.end});
  cut_.cuts_.push_back({place_.topic, place_.partition, kept_.at(place_.partition).end});
  return {};
}

Result<void> TopicCutPlanner::check_place() {
  auto names = MR_TRY(log::topic_names(directory_.disk(), directory_.log()));
  if (std::ranges::find(names, place_.topic) == names.end()) {
    auto near = did_you_mean(place_.topic, names);
    return fail(ErrorCode::kNotFound, "there is no topic '{}'{}", place_.topic,
                near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  }
  if (is_dead_letters_topic(place_.topic) && place_.topic.find('.') == place_.topic.rfind('.'))
    return fail(ErrorCode::kUnsupported,
                "{} has the dead letters of a source, which are counted with its pages: they go "
                "where those are cut; put a damaged file of theirs back from a copy",
                place_.topic);
  facts_ = MR_TRY(log::topic_facts(directory_.disk(), directory_.log(), place_.topic));
  if (place_.partition.value < facts_.partitions) return {};
  return fail(ErrorCode::kNotFound, "topic {} has partitions 0 to {}, not {}", place_.topic,
              facts_.partitions - 1, place_.partition);
}

// Whether pages of a source are among what goes, and which is the last before them.
Result<void> TopicCutPlanner::find_lost_pages() {
  std::optional<int64_t> last_kept;
  std::optional<PageBatch> first_lost;
  auto look = [&](std::string_view bytes) -> Result<void> {
    auto batch = MR_TRY(page_batch(bytes));
    if (batch.base < place_.offset && batch.next > place_.offset)
      return fail(ErrorCode::kInvalid,
                  "a topic is cut between batches, and the one that has offset {} begins at offset "
                  "{}",
                  place_.offset, batch.base);
    if (!batch.cursor) return {};
    if (source_.empty()) source_ = batch.cursor->source;
    if (batch.base < place_.offset)
      last_kept = batch.cursor->cursor.sequence;
    else if (!first_lost)
      first_lost = std::move(batch);
    return {};
  };
  auto check = MR_TRY(walk(place_.topic, place_.partition, look));
  if (place_.offset < check.start || place_.offset > check.end)
    return fail(ErrorCode::kNotFound, "{} has offsets {} to {}, not {}", name_of(place_.partition),
                check.start, check.end.value - 1, place_.offset);
  if (check.damages.empty() && place_.offset == check.end)
    return fail(ErrorCode::kNotFound, "{} has no records from offset {} on",
                name_of(place_.partition), place_.offset);
  if (!check.damages.empty() && check.damages.front().offset < place_.offset)
    return fail(ErrorCode::kCorrupt, "{} is damaged at offset {}, before {}: cut it there",
                name_of(place_.partition), check.damages.front().offset, place_.offset);
  bool is_damaged = !check.damages.empty();
  loses_pages_ = first_lost || (is_damaged && last_kept);
  // What is damaged may have been of any page behind the last one that can be read before it.
  bool is_known = first_lost && (!is_damaged || first_lost->base < check.damages.front().offset);
  last_page_ = is_known ? first_lost->cursor->cursor.sequence - 1 : last_kept.value_or(0);
  return {};
}

// Up to the last page that stays, up to `most`, up to damage: whichever is first. Never a part of a
// page.
Result<TopicCutPlanner::Kept> TopicCutPlanner::keep(PartitionId partition,
                                                    std::optional<Offset> most) const {
  auto folder = log::partition_folder(directory_.log(), place_.topic, partition);
  Kept kept{.end = MR_TRY(log::partition_start(directory_.disk(), folder))};
  Offset next = kept.end;
  Offset page_begin = kept.end;
  bool is_cut = false;
  auto look = [&](std::string_view bytes) -> Result<void> {
    auto batch = MR_TRY(page_batch(bytes));
    bool is_gone = is_cut || batch.base != next || (most && batch.base >= *most);
    bool is_later = batch.cursor && loses_pages_ && batch.cursor->cursor.sequence > last_page_;
    if (is_gone || is_later) {
      is_cut = true;
      kept.end = page_begin;
      return {};
    }
    next = batch.next;
    if (batch.goes_on) return {};
    kept.end = page_begin = next;
    if (batch.cursor) kept.cursor = std::move(batch.cursor);
    return {};
  };
  auto check = MR_TRY(walk(place_.topic, partition, look));
  kept.lost = check.end - kept.end;
  kept.ends_damaged = !check.damages.empty() && check.damages.front().offset == next;
  return kept;
}

Result<void> TopicCutPlanner::keep_whole_pages() {
  for (int64_t before = -1; before != last_page_;) {
    before = last_page_;
    kept_.clear();
    newest_.reset();
    for (int32_t i = 0; i < facts_.partitions; ++i) {
      PartitionId partition(i);
      bool is_named = partition == place_.partition;
      if (!is_named && !loses_pages_) continue;
      auto kept = MR_TRY(keep(partition, is_named ? std::optional(place_.offset) : std::nullopt));
      int64_t sequence = kept.cursor ? kept.cursor->cursor.sequence : 0;
      if (!is_named && kept.ends_damaged) last_page_ = std::min(last_page_, sequence);
      if (kept.cursor && (!newest_ || sequence > newest_->cursor.sequence)) newest_ = kept.cursor;
      if (is_named || kept.lost > 0) kept_[partition] = std::move(kept);
    }
    if (!loses_pages_) return {};
  }
  return {};
}

Result<void> TopicCutPlanner::plan_source() {
  auto path = fmt::format("{}/{}.json", directory_.sources(), place_.topic);
  if (MR_TRY(directory_.disk().file_exists(path))) {
    auto text = MR_TRY(directory_.disk().read_file(path, kCursorFileBytesMax));
    auto cursor = MR_TRY_IN(parse_source_cursor(text), path);
    if (cursor.cursor.sequence > last_page_) {
      cut_.cursor_file_ = path;
    } else if (!newest_ || cursor.cursor.sequence > newest_->cursor.sequence) {
      newest_ = std::move(cursor);
    }
  }
  cut_.words_.push_back(
      newest_
          ? fmt::format("source {} goes back to page {}: what came after it is asked for again, "
                        "and comes if the API still has it",
                        source_, with_thousands(newest_->cursor.sequence))
          : fmt::format("source {} begins again", source_));
  return plan_source_letters();
}

// Those of pages that go. They are the newest of their topic, as their pages are.
Result<void> TopicCutPlanner::plan_source_letters() {
  auto topic = dead_letters_topic(source_);
  auto names = MR_TRY(log::topic_names(directory_.disk(), directory_.log()));
  int64_t redriven = newest_ ? newest_->cursor.redriven : 0;
  if (std::ranges::find(names, topic) == names.end()) return {};
  auto id = to_string(facts_.id);
  std::optional<Offset> first;
  int64_t count = 0;
  auto look = [&](std::string_view bytes) -> Result<void> {
    auto batch = MR_TRY(record::BatchReader::open(bytes));
    for (record::RecordView record; MR_TRY(batch.next(record));) {
      auto letter = MR_TRY(to_dead_letter(topic, 0, record));
      bool goes = letter.fed == id && letter.from_partition > last_page_;
      if (goes && !first) first = batch.header().base_offset;
      if (goes) ++count;
      if (!goes && first)
        return fail(ErrorCode::kUnsupported,
                    "dead letters of {} would have to go from offset {} of {} on, but among them "
                    "are some of other pages",
                    source_, *first, topic);
    }
    return {};
  };
  auto check = MR_TRY(walk(topic, PartitionId(0), look));
  if (!check.damages.empty())
    return fail(ErrorCode::kCorrupt, "{} is damaged, too: put its file back from a copy first",
                topic);
  if (first) {
    cut_.cuts_.push_back({topic, PartitionId(0), *first});
    cut_.words_.push_back(fmt::format("{} dead letters of these pages are removed from {}",
                                      with_thousands(count), topic));
  }
  return plan_ledger(redriven, first.value_or(check.end));
}

Result<void> TopicCutPlanner::plan_ledger(int64_t redriven, Offset letters_end) {
  auto changed = MR_TRY(SourceLedger::after_cut(directory_.cursors(), place_.topic,
                                                to_string(facts_.id), redriven, letters_end.value));
  if (!changed) return {};
  cut_.ledger_file_ = changed->path;
  cut_.ledger_ = std::move(changed->text);
  return {};
}

Result<void> TopicCutPlanner::plan_tables() {
  if (!MR_TRY(directory_.disk().file_exists(directory_.store() + "/CURRENT"))) return {};
  cut_.store_ = MR_TRY(store::Store::open(directory_.store(), logger_,
                                          {.clock = &clock_, .disk = &directory_.disk()}));
  auto tables = cut_.store_->tables();
  for (const auto& table : tables) {
    auto name = table->definition().full_name();
    if (dead_letters_topic(name) == place_.topic) MR_TRY_IN(plan_table_letters(table), name);
    auto definition = MR_TRY_IN(table::definition_of(*table), name);
    if (definition.topic != place_.topic) continue;
    for (const auto& [partition, kept] : kept_)
      MR_TRY_IN(plan_table(table, partition, kept.end), name);
  }
  return {};
}

// Sets a table back that has taken records which go.
Result<void> TopicCutPlanner::plan_table(const store::TablePtr& table, PartitionId partition,
                                         Offset end) {
  auto progress = MR_TRY(cut_.store_->progress(*table, place_.topic, partition));
  if (!progress || progress->next <= end) return {};
  auto name = table->definition().full_name();
  auto letters = dead_letters_topic(name);
  auto names = MR_TRY(log::topic_names(directory_.disk(), directory_.log()));
  int64_t open = 0;
  int64_t closed = 0;
  auto close = [&](std::string_view bytes) -> Result<void> {
    auto batch = MR_TRY(record::BatchReader::open(bytes));
    for (record::RecordView record; MR_TRY(batch.next(record));) {
      auto letter = MR_TRY(to_dead_letter(letters, partition.value, record));
      if (letter.from_topic != place_.topic || letter.from_offset < end.value) continue;
      auto next =
          MR_TRY(cut_.store_->open_dead_letters(*table, place_.topic, partition, record.offset, 1));
      bool is_open = !next.empty() && next[0] == record.offset;
      ++(is_open ? open : closed);
      if (is_open) cut_.batch_.close_dead_letter(*table, place_.topic, partition, record.offset);
    }
    return {};
  };
  if (std::ranges::find(names, letters) != names.end()) {
    auto check = MR_TRY(walk(letters, partition, close));
    if (!check.damages.empty())
      return fail(ErrorCode::kCorrupt, "{}/{} is damaged, too: cut that first, at offset {}",
                  letters, partition, check.damages.front().offset);
  }
  auto changed = MR_TRY(set_back(*progress, end, open, closed));
  cut_.batch_.set_progress(*table, place_.topic, partition, changed);
  cut_.words_.push_back(fmt::format(
      "table {} has taken {} of those of {}: its rows stay, and it goes on at the new end{}", name,
      with_thousands(progress->next - end), name_of(partition),
      progress->filtered > 0 ? "; how many of them it had filtered is an estimate" : ""));
  return {};
}

// Dead letters of a table that go are open no longer: their records count as removed.
Result<void> TopicCutPlanner::plan_table_letters(const store::TablePtr& table) {
  constexpr size_t kMarks = 10'000;
  const auto topic = MR_TRY(table::definition_of(*table)).topic;
  auto progress = MR_TRY(cut_.store_->progress(*table, topic, place_.partition));
  if (!progress) return {};
  int64_t count = 0;
  for (Offset from = kept_.at(place_.partition).end;;) {
    auto marks =
        MR_TRY(cut_.store_->open_dead_letters(*table, topic, place_.partition, from, kMarks));
    for (Offset mark : marks) cut_.batch_.close_dead_letter(*table, topic, place_.partition, mark);
    count += static_cast<int64_t>(marks.size());
    if (marks.size() < kMarks) break;
    from = marks.back() + 1;
  }
  if (count == 0) return {};
  progress->dead_letters -= count;
  progress->removed += count;
  cut_.batch_.set_progress(*table, topic, place_.partition, *progress);
  cut_.words_.push_back(fmt::format("{} open dead letters of {} are lost with their records",
                                    with_thousands(count), table->definition().full_name()));
  return {};
}

Result<TopicCut> TopicCut::plan(const DataDirectory& directory, const TopicPlace& place,
                                Logger& logger, io::Clock& clock) {
  TopicCut cut(directory);
  MR_TRY(TopicCutPlanner(cut, place, logger, clock).run());
  return cut;
}

Result<void> TopicCut::carry_out() {
  if (store_ != nullptr) {
    MR_TRY(store_->commit(batch_));
    MR_TRY(store_->flush());
  }
  auto& disk = directory_.disk();
  if (!cursor_file_.empty()) {
    MR_TRY(disk.remove_file(cursor_file_));
    MR_TRY(disk.sync_directory(directory_.sources()));
  }
  if (!ledger_file_.empty()) MR_TRY(disk.write_file_atomic(ledger_file_, ledger_));
  for (const auto& one : cuts_)
    MR_TRY(log::cut_partition(
        disk, log::partition_folder(directory_.log(), one.topic, one.partition), one.end));
  return {};
}

}  // namespace millrace::pipeline
