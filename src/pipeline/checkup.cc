#include "pipeline/checkup.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "log/log.h"
#include "log/verify.h"
#include "pipeline/dead_letters.h"
#include "pipeline/source_ledger.h"
#include "record/record.h"
#include "store/store.h"
#include "table/table_definition.h"

namespace millrace::pipeline {
namespace {

// Marks of open dead letters read from the store at once.
constexpr size_t kMarks = 10'000;

// "1 record", "3 records".
std::string count_of(int64_t number, std::string_view noun) {
  bool is_one = number == 1;
  std::string_view plural = noun.ends_with("ch") ? "es" : "s";
  return fmt::format("{} {}{}", with_thousands(number), noun, is_one ? "" : plural);
}

class Examination {
 public:
  Examination(const DataDirectory& directory, const CheckupOptions& options, Logger& logger,
              io::Clock& clock)
      : directory_(directory), options_(options), logger_(logger), clock_(clock) {}

  std::vector<Finding> run();

 private:
  // Of a topic, by partition; shorter where some could not be read.
  using Partitions = std::vector<log::PartitionCheck>;

  void add(std::string part, std::string subject, Verdict verdict, std::string text,
           std::vector<Mend> mends = {});
  void add_error(std::string part, std::string subject, const Error& error,
                 std::vector<Mend> mends = {}) {
    add(std::move(part), std::move(subject), Verdict::kError, error.message(), std::move(mends));
  }
  bool has_errors() const {
    return std::ranges::any_of(findings_,
                               [](const auto& one) { return one.verdict == Verdict::kError; });
  }

  void check_log();
  void check_topic(const std::string& topic);
  Result<log::PartitionCheck> check_partition(const std::string& topic, PartitionId partition);
  void tell_of_partition(const std::string& topic, PartitionId partition,
                         const log::PartitionCheck& check);
  Result<void> check_dead_letters(const std::string& topic, PartitionId partition,
                                  std::string_view batch) const;
  void check_store();
  void check_table(const store::Store& store, const store::Table& table);
  Result<void> check_progress(const store::Store& store, const store::Table& table,
                              const std::string& topic, PartitionId partition,
                              const log::PartitionCheck& check);
  Result<void> check_marks(const store::Store& store, const store::Table& table,
                           const std::string& topic, PartitionId partition, int64_t wanted) const;
  void check_sources();
  Result<void> check_source(log::Topic& topic);
  const LiveTopic* live_topic(const std::string& name) const;

  const DataDirectory& directory_;
  const CheckupOptions& options_;
  Logger& logger_;
  io::Clock& clock_;
  std::vector<Finding> findings_;
  std::map<std::string, Partitions, std::less<>> topics_;
};

void Examination::add(std::string part, std::string subject, Verdict verdict, std::string text,
                      std::vector<Mend> mends) {
  findings_.push_back(
      {std::move(part), std::move(subject), verdict, std::move(text), std::move(mends)});
}

std::vector<Finding> Examination::run() {
  check_log();
  if (options_.live) {
    add("store", "tables", Verdict::kSkipped,
        "a pipeline runs: stop it, and they are looked at, too");
    return std::move(findings_);
  }
  bool is_log_right = !has_errors();
  check_store();
  if (is_log_right)
    check_sources();
  else
    add("sources", "cursors", Verdict::kSkipped, "they stand in the log: mend that first");
  return std::move(findings_);
}

const LiveTopic* Examination::live_topic(const std::string& name) const {
  if (!options_.live) return nullptr;
  auto found = std::ranges::find(*options_.live, name, &LiveTopic::name);
  return found == options_.live->end() ? nullptr : &*found;
}

void Examination::check_log() {
  auto names = log::topic_names(directory_.disk(), directory_.log());
  if (!names) return add_error("log", directory_.log(), names.error());
  if (names->empty()) add("log", "topics", Verdict::kOk, "none yet");
  int64_t began = clock_.monotonic_micros();
  for (const auto& name : *names)
    if (!options_.live || live_topic(name) != nullptr) check_topic(name);
  uint64_t bytes = 0;
  for (const auto& [name, partitions] : topics_)
    for (const auto& partition : partitions) bytes += partition.bytes;
  auto micros = std::max<int64_t>(1, clock_.monotonic_micros() - began);
  auto per_second = static_cast<double>(bytes) * 1e6 / static_cast<double>(micros);
  if (!has_errors() && bytes > 0)
    add("log", "all", Verdict::kOk,
        fmt::format("every checksum is right; {} read, {}/s", format_bytes(bytes),
                    format_bytes(static_cast<uint64_t>(per_second))));
}

void Examination::check_topic(const std::string& topic) {
  auto facts = log::topic_facts(directory_.disk(), directory_.log(), topic);
  if (!facts) return add_error("log", topic, facts.error());
  auto before = findings_.size();
  auto& partitions = topics_[topic];
  log::PartitionCheck sum;
  const auto* live = live_topic(topic);
  auto count = facts->partitions;
  if (live != nullptr) count = std::min(count, static_cast<int32_t>(live->partitions.size()));
  for (int32_t i = 0; i < count; ++i) {
    auto checked = check_partition(topic, PartitionId(i));
    if (!checked) {
      add_error("log", fmt::format("{}/{}", topic, i), checked.error());
      continue;
    }
    tell_of_partition(topic, PartitionId(i), *checked);
    sum.batches += checked->batches;
    sum.records += checked->records;
    sum.bytes += checked->bytes;
    if (partitions.size() == static_cast<size_t>(i)) partitions.push_back(*std::move(checked));
  }
  if (findings_.size() > before) return;
  add("log", topic, Verdict::kOk,
      fmt::format("{} in {}, {}, {}", count_of(sum.records, "record"),
                  count_of(facts->partitions, "partition"), count_of(sum.batches, "batch"),
                  format_bytes(sum.bytes)));
}

Result<log::PartitionCheck> Examination::check_partition(const std::string& topic,
                                                         PartitionId partition) {
  auto name = fmt::format("{}/{}", topic, partition);
  bool has_letters = is_dead_letters_topic(topic);
  uint64_t read = 0;
  log::Verification how;
  how.each = [&](std::string_view batch, const record::BatchHeader&) -> Result<void> {
    read += batch.size();
    if (options_.progress) options_.progress(name, read);
    if (has_letters) return check_dead_letters(topic, partition, batch);
    return {};
  };
  if (const auto* live = live_topic(topic)) {
    const auto& known = live->partitions[static_cast<size_t>(partition.value)];
    how.live_start = known.start;
    how.live_end = known.end;
  }
  auto folder = log::partition_folder(directory_.log(), topic, partition);
  return log::verify_partition(directory_.disk(), folder, how);
}

void Examination::tell_of_partition(const std::string& topic, PartitionId partition,
                                    const log::PartitionCheck& check) {
  auto name = fmt::format("{}/{}", topic, partition);
  for (const auto& damage : check.damages) {
    Offset behind = damage.whole_from.value_or(check.end);
    std::string lost = "what is from offset " + with_thousands(damage.offset.value) + " on";
    if (behind > damage.offset)
      lost = fmt::format("offsets {} to {}", with_thousands(damage.offset.value),
                         with_thousands(behind.value - 1));
    std::vector<Mend> mends;
    if (&damage == &check.damages.front()) {
      mends.push_back({"", fmt::format("put {} back from a copy: nothing is lost", damage.file)});
      mends.push_back({fmt::format("millrace doctor --truncate {}/{}", name, damage.offset),
                       fmt::format("removes all records from offset {} on{}",
                                   with_thousands(damage.offset.value),
                                   check.end > damage.offset
                                       ? ", about " + with_thousands(check.end - damage.offset)
                                       : "")});
    }
    add("log", name, Verdict::kError,
        fmt::format("damaged: {} cannot be read. {} at byte {}: {}", lost, damage.file,
                    damage.position, damage.why),
        std::move(mends));
  }
  for (const auto& index : check.bad_indexes)
    add("log", name, Verdict::kError, fmt::format("the index {}: {}", index.file, index.why),
        {{fmt::format("rm '{}'", index.file), "the next start makes it anew from its segment"}});
  if (check.torn_bytes > 0)
    add("log", name, Verdict::kWarning,
        fmt::format("its last {} were being written when the process or the machine stopped; "
                    "nobody has seen them, and the next start cuts them off behind offset {}",
                    count_of(static_cast<int64_t>(check.torn_bytes), "byte"),
                    with_thousands(check.end.value)));
}

Result<void> Examination::check_dead_letters(const std::string& topic, PartitionId partition,
                                             std::string_view batch) const {
  auto records = MR_TRY(record::BatchReader::open(batch));
  for (record::RecordView record; MR_TRY(records.next(record));) {
    auto letter = MR_TRY(to_dead_letter(topic, partition.value, record));
    if (letter.value_file.empty()) continue;
    auto path = fmt::format("{}/{}", directory_.sources(), letter.value_file);
    if (!MR_TRY(directory_.disk().file_exists(path)))
      return fail(ErrorCode::kCorrupt, "the record of dead letter {} is to be in {}, which is gone",
                  letter.address(), path);
  }
  return {};
}

void Examination::check_store() {
  const Mend rebuild = {"millrace table rebuild --all",
                        "removes the store; the next 'millrace up' makes its tables anew, from the "
                        "records that their topics have"};
  auto there = directory_.disk().file_exists(directory_.store() + "/CURRENT");
  if (!there) return add_error("store", directory_.store(), there.error());
  if (!*there) return add("store", "tables", Verdict::kOk, "none yet");
  if (options_.progress) options_.progress("the store", 0);
  auto store =
      store::Store::open(directory_.store(), logger_,
                         {.read_only = true, .clock = &clock_, .disk = &directory_.disk()});
  if (!store) {
    bool is_damaged =
        store.error().code() == ErrorCode::kCorrupt || store.error().code() == ErrorCode::kIo;
    auto mends = is_damaged ? std::vector<Mend>{rebuild} : std::vector<Mend>{};
    return add_error("store", directory_.store(), store.error(), std::move(mends));
  }
  auto verified = (*store)->verify();
  if (!verified) return add_error("store", directory_.store(), verified.error(), {rebuild});
  auto tables = (*store)->tables();
  uint64_t bytes = 0;
  for (const auto& table : tables) bytes += (*store)->approximate_size(*table).bytes;
  add("store", "files", Verdict::kOk,
      fmt::format("every checksum is right; {}, about {}",
                  count_of(static_cast<int64_t>(tables.size()), "table"), format_bytes(bytes)));
  for (const auto& table : tables) check_table(**store, *table);
}

void Examination::check_table(const store::Store& store, const store::Table& table) {
  auto name = table.definition().full_name();
  const Mend rebuild = {"millrace table rebuild " + name,
                        "empties the table; the next 'millrace up' reads its topic again"};
  auto definition = table::definition_of(table);
  if (!definition) return add_error("tables", name, definition.error());
  auto topic = topics_.find(definition->topic);
  if (topic == topics_.end())
    return add("tables", name, Verdict::kError,
               fmt::format("its topic {} is gone", definition->topic));
  auto before = findings_.size();
  int64_t waiting = 0;
  for (size_t i = 0; i < topic->second.size(); ++i) {
    const auto& check = topic->second[i];
    PartitionId partition(static_cast<int32_t>(i));
    auto checked = check_progress(store, table, topic->first, partition, check);
    if (!checked) return add_error("tables", name, checked.error(), {rebuild});
    auto progress = store.progress(table, topic->first, partition);
    Offset next = progress && *progress ? (*progress)->next : Offset(0);
    waiting += std::max<int64_t>(0, check.end - std::max(next, check.start));
  }
  if (findings_.size() > before) return;
  add("tables", name, Verdict::kOk,
      waiting == 0
          ? fmt::format("has taken all of {}", topic->first)
          : fmt::format("{} of {} wait for it", count_of(waiting, "record"), topic->first));
}

Result<void> Examination::check_progress(const store::Store& store, const store::Table& table,
                                         const std::string& topic, PartitionId partition,
                                         const log::PartitionCheck& check) {
  auto found = MR_TRY(store.progress(table, topic, partition));
  const auto progress = found.value_or(store::Progress{});
  auto place = fmt::format("partition {} of {}", partition, topic);
  if (progress.next > check.end)
    return fail(ErrorCode::kCorrupt,
                "it has read {} up to offset {}, which ends at {}: log and store do not belong "
                "together",
                place, progress.next, check.end);
  auto sum = progress.written + progress.filtered + progress.dead_letters + progress.removed;
  if (sum != progress.next.value)
    return fail(ErrorCode::kCorrupt,
                "of {} it has read {} records, but counts {}: written {}, filtered {}, dead "
                "letters {}, removed {}",
                place, progress.next, sum, progress.written, progress.filtered,
                progress.dead_letters, progress.removed);
  if (found && progress.next < check.start)
    add("tables", table.definition().full_name(), Verdict::kWarning,
        fmt::format("retention removed {} of {} before it read them",
                    count_of(check.start - progress.next, "record"), place));
  return check_marks(store, table, topic, partition, progress.dead_letters);
}

// Those of open dead letters: as many as are counted, of letters that are there.
Result<void> Examination::check_marks(const store::Store& store, const store::Table& table,
                                      const std::string& topic, PartitionId partition,
                                      int64_t wanted) const {
  auto letters = dead_letters_topic(table.definition().full_name());
  auto found = topics_.find(letters);
  Offset end;
  if (found != topics_.end() && static_cast<size_t>(partition.value) < found->second.size())
    end = found->second[static_cast<size_t>(partition.value)].end;
  int64_t count = 0;
  for (Offset from;;) {
    auto marks = MR_TRY(store.open_dead_letters(table, topic, partition, from, kMarks));
    count += static_cast<int64_t>(marks.size());
    if (!marks.empty() && marks.back() >= end)
      return fail(ErrorCode::kCorrupt, "its open dead letter {}/{}/{} is not there",
                  table.definition().full_name(), partition, marks.back());
    if (marks.size() < kMarks) break;
    from = marks.back() + 1;
  }
  if (count == wanted) return {};
  return fail(ErrorCode::kCorrupt, "of partition {} of {} it counts {} dead letters, but marks {}",
              partition, topic, wanted, count);
}

void Examination::check_sources() {
  auto opened =
      log::Log::open(directory_.log(), logger_, {.read_only = true, .disk = &directory_.disk()});
  if (!opened) return add_error("sources", directory_.log(), opened.error());
  for (auto* topic : (*opened)->topics()) {
    if (is_dead_letters_topic(topic->name())) continue;
    auto checked = check_source(*topic);
    if (!checked) add_error("sources", "source of " + topic->name(), checked.error());
  }
}

Result<void> Examination::check_source(log::Topic& topic) {
  MR_TRY(recover_page(topic));  // which a log for reading only passes over
  auto found = MR_TRY(find_cursor(topic, directory_.cursors()));
  if (!found || found->source.empty()) return {};
  const auto& cursor = found->cursor;
  if (cursor.items != cursor.records + cursor.filtered + cursor.dead_letters)
    return fail(ErrorCode::kCorrupt,
                "{} has counted {} items, but {} records, {} filtered and {} dead letters",
                found->source, cursor.items, cursor.records, cursor.filtered, cursor.dead_letters);
  MR_TRY(SourceLedger::load(directory_.cursors(), topic, cursor.redriven));
  add("sources", found->source, Verdict::kOk,
      fmt::format("goes on behind page {} in {}", with_thousands(cursor.sequence), topic.name()));
  return {};
}

}  // namespace

std::vector<Finding> check_up(const DataDirectory& directory, const CheckupOptions& options,
                              Logger& logger, io::Clock& clock) {
  return Examination(directory, options, logger, clock).run();
}

}  // namespace millrace::pipeline
