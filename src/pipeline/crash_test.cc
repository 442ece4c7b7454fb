// A whole pipeline on a disk that crashes and fails: every item of every page is in its topic, its
// tables or its dead letters once, in order, and the numbers say so. All of it runs on the test's
// thread (Instance::run_here) with a clock of its own, so that a seed makes the same calls of the
// disk each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "base/base.h"
#include "base/test_seeds.h"
#include "io/simulated_disk.h"
#include "pipeline/pipeline.h"
#include "pipeline/retention.h"
#include "pipeline/test_pages.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;
using io::SimulatedDisk;
using Fault = SimulatedDisk::Fault;

constexpr const char* kSource = "people";
constexpr const char* kTopic = "created";
constexpr const char* kPeople = "ks.people";    // a row for each record
constexpr const char* kNations = "ks.nations";  // the newest of each nation

constexpr const char* kSchema = R"({"properties": {
  "login": {"type": "object", "properties": {"uuid": {"type": "string"}}},
  "nat": {"type": "string"}}})";

// Of the URL, partitions, a topic's retention and what ks.people expects. Who is refused and
// filtered, test_pages.h says too.
constexpr const char* kFile = R"(name: crash
sources:
  people:
    http: {{url: "{}", every: 0ms, page: {{}}}}
    for: 0s
    items: results
    schema: person.schema.json
    to: created
    select: >-
      SELECT login.uuid AS id, nat, CAST(CASE WHEN nat = 'GB' THEN 'no' ELSE '1' END AS INT) AS n
      FROM people WHERE nat <> 'US'
topics:
  created: {{key: nat, partitions: {}{}}}
tables:
  ks.people:
    primary_key: id
    from: SELECT id, nat FROM created WHERE nat <> 'DE'
    expect: {{rule: {}}}
  ks.nations: {{primary_key: nat, from: "SELECT nat, id FROM created"}}
)";

// A wait is over at once, and moves the time.
class QuickClock final : public io::Clock {
 public:
  int64_t now_micros() override { return micros_; }
  int64_t monotonic_micros() override { return micros_; }
  bool wait(std::chrono::milliseconds duration, std::stop_token) override {
    micros_ += std::chrono::microseconds(duration).count();
    return true;
  }

 private:
  int64_t micros_ = int64_t{1'700'000'000} * 1'000'000;
};

template <class... Args>
Result<void> wrong(fmt::format_string<Args...> format, Args&&... args) {
  return fail(ErrorCode::kCorrupt, format, std::forward<Args>(args)...);
}

// A full disk, an error or the end of the process, as planned. RocksDB calls it corruption where
// its folder cannot be listed.
Result<void> allowed(Result<void> done) {
  if (!done && (done.error().code() == ErrorCode::kIo ||
                done.error().message().find("IO error") != std::string::npos))
    return {};
  return done;
}

class PipelineRun {
 public:
  explicit PipelineRun(uint64_t seed)
      : random_(seed),
        disk_(seed),
        logger_(LogFormat::kText, LogLevel::kDebug,
                [](std::string_view line) {
                  if (replaying()) fmt::print(stderr, "{}", line);
                }),
        partitions_(1 + below(3)),
        url_(fmt::format("sample://randomuser/api/?results={}&seed={}&inc=login,nat", 1 + below(30),
                         seed)),
        pages_(url_, static_cast<int32_t>(partitions_)),
        seen_(partitions_) {
    options_ = {.data_dir = "/data", .segment_bytes = 3'000 + below(20'000), .disk = &disk_};
    disk_.keep_append_order("/data/store");
    if (one_in(2)) retention_bytes_ = 1 + below(10'000);
    positions_[kPeople] = positions_[kNations] = std::vector<int64_t>(partitions_);
  }

  Result<void> run() {
    pipeline_ = MR_TRY(load("nat <> 'FR'"));
    for (int round = 0; round < 4; ++round) {
      MR_TRY(open_through_crashes());
      plan_faults();
      for (uint64_t steps = 4 + below(30); steps > 0 && !disk_.is_dead(); --steps) MR_TRY(step());
      end_process();
    }
    MR_TRY(open_through_crashes());
    for (const char* node : {kSource, kPeople, kNations}) MR_TRY(instance_->run_here(node));
    MR_TRY(check(true));
    return one_in(2) ? redrive_all() : Result<void>();
  }
  uint64_t trace() const { return disk_.trace(); }

 private:
  uint64_t below(uint64_t end) { return random_() % end; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  log::Topic& topic() { return *instance_->log().find_topic(kTopic); }
  size_t end_of(size_t i) {
    return static_cast<size_t>(
        topic().partition(PartitionId(static_cast<int32_t>(i))).end_offset().value);
  }

  // The pipeline file is read from the machine's disk.
  Result<spec::Pipeline> load(std::string_view rule) {
    auto folder = fs::path(testing::TempDir()) / fmt::format("crash_{}", to_string(random_uuid()));
    fs::create_directories(folder);
    std::ofstream(folder / "person.schema.json") << kSchema;
    auto retention = retention_bytes_ ? fmt::format(", retention: {}B", *retention_bytes_) : "";
    std::ofstream(folder / "p.yaml")
        << fmt::format(fmt::runtime(kFile), url_, partitions_, retention, rule);
    auto loaded = spec::load((folder / "p.yaml").string(), spec::process_variables());
    fs::remove_all(folder);
    if (!loaded) return std::unexpected(std::move(loaded).error());
    for (const auto& problem : loaded->problems)
      return fail(ErrorCode::kInvalid, "{}", problem.message);
    return std::move(loaded->pipeline);
  }

  void plan_faults() {
    if (!one_in(4)) disk_.plan(1 + below(500), Fault::kDeath);
    for (uint64_t i = below(4); i > 0; --i) disk_.plan(1 + below(300), Fault::kShort);
    if (one_in(4)) disk_.plan(1 + below(300), Fault::kError);
    if (one_in(4)) disk_.plan(1 + below(300), Fault::kNoSpace);
    if (one_in(6)) disk_.set_capacity(100'000 + below(400'000));
  }

  // Ends what runs, and perhaps the machine.
  void end_process() {
    if (one_in(2)) disk_.plan(1, Fault::kDeath);  // as it closes
    retention_.reset();
    instance_.reset();
    tell("the process ends");
    disk_.set_capacity(UINT64_MAX);
    do {
      if (one_in(3)) {
        disk_.restart_process();
      } else {
        tell("the machine crashes");
        disk_.crash();
      }
    } while (one_in(4));
  }

  // Opens the data directory; now and then dies on the way.
  Result<void> open_through_crashes() {
    while (one_in(3)) {
      disk_.plan(1 + below(250), one_in(4) ? Fault::kError : Fault::kDeath);
      MR_TRY(allowed(open()));
      end_process();
    }
    disk_.forget_plan();
    MR_TRY(open());
    return check(false);
  }

  Result<void> open() {
    tell("opening");
    options_.write_each_commit = !one_in(3);
    instance_ = MR_TRY(Instance::open(options_, logger_, clock_));
    MR_TRY(instance_->prepare(pipeline_));
    if (!retention_bytes_) return {};
    retention_.emplace(instance_->store(), logger_, clock_);
    retention_->keep(topic(), {.bytes = retention_bytes_});
    for (const char* name : {kPeople, kNations})
      retention_->wait_for(name, topic(),
                           [this, name](PartitionId id) { return position(name, id); });
    return {};
  }

  store::TablePtr table(std::string_view name) {
    return instance_->store().find_table("ks", name.substr(3));
  }
  Offset position(const char* name, PartitionId partition) {
    auto progress = instance_->store().progress(*table(name), kTopic, partition);
    return progress && *progress ? (*progress)->next : Offset(0);
  }

  Result<void> step() {
    MR_TRY(take_step());
    // What anyone can see in the topic stays there.
    for (size_t i = 0; i < partitions_; ++i) seen_[i] = std::max(seen_[i], end_of(i));
    return {};
  }

  Result<void> take_step() {
    switch (below(8)) {
      case 0:
        return flush();
      case 1:
        if (!retention_) return {};
        tell("retention");
        return allowed(retention_->apply());
      case 2:
      case 3:
        return run_table(kPeople);
      case 4:
        return run_table(kNations);
      default:
        return run_source();
    }
  }

  Result<void> run_source() {
    auto ran = instance_->run_here(kSource);
    tell("a page: {}", ran ? "taken" : ran.error().message());
    if (ran) ++pages_taken_;
    return allowed(ran);
  }

  Result<void> run_table(const char* name) {
    auto ran = instance_->run_here(name);
    tell("table {}: {}", name, ran ? "caught up" : ran.error().message());
    return allowed(ran);
  }

  Result<void> flush() {
    std::map<std::string, std::vector<int64_t>> now;
    for (const char* name : {kPeople, kNations})
      for (size_t i = 0; i < partitions_; ++i)
        now[name].push_back(position(name, PartitionId(static_cast<int32_t>(i))).value);
    auto flushed = instance_->store().flush();
    tell("flush: {}", flushed ? "done" : flushed.error().message());
    if (flushed) positions_ = now;
    return allowed(flushed);
  }

  // What is there after opening, and after that stays there.
  Result<void> check(bool caught_up) {
    auto status = instance_->status();
    int64_t count = status.sources.empty() ? 0 : status.sources[0].pages;
    tell("{} pages, at least {} expected", count, pages_taken_);
    if (count < pages_taken_) return wrong("{} pages of {} taken", count, pages_taken_);
    pages_taken_ = count;
    const auto& after = pages_.after(count);
    if (count > 0) MR_TRY(check_source(status.sources[0], after));
    for (size_t i = 0; i < partitions_; ++i) MR_TRY(check_partition(i, after.ends[i]));
    for (const auto& table : status.tables) MR_TRY(check_table(table, caught_up));
    return check_dead_letters(after, caught_up);
  }

  static Result<void> check_source(const SourceStatus& source, const Pages::After& after) {
    auto refused = static_cast<int64_t>(after.refused);
    if (source.items != after.items || source.filtered != after.filtered ||
        source.dead_letters != refused || source.records != after.items - after.filtered - refused)
      return wrong("after {} pages the source counts {} items, {} records, {} filtered, {} refused",
                   source.pages, source.items, source.records, source.filtered,
                   source.dead_letters);
    return {};
  }

  Result<void> check_partition(size_t i, size_t end) {
    const auto& partition = topic().partition(PartitionId(static_cast<int32_t>(i)));
    if (end_of(i) != end || end < seen_[i])
      return wrong("partition {} ends at {}, not {}; {} were seen", i, end_of(i), end, seen_[i]);
    std::string buffer;
    auto next = static_cast<size_t>(partition.start_offset().value);
    while (next < end) {
      auto bytes = MR_TRY(partition.read(Offset(static_cast<int64_t>(next)), 20'000, buffer));
      while (!bytes.empty()) {
        auto batch = MR_TRY(record::BatchReader::open(bytes));
        bytes.remove_prefix(batch.header().size_bytes);
        for (record::RecordView record; MR_TRY(batch.next(record)); ++next) {
          const auto& person = pages_.records(i)[next];
          auto value = fmt::format(R"({{"id":"{}","nat":"{}","n":1}})", person.id, person.nat);
          if (record.offset.value != static_cast<int64_t>(next) || record.value != value)
            return wrong("partition {} has another record at {}: {}", i, next,
                         record.value.value_or(""));
        }
      }
    }
    return {};
  }

  // Rows and counts of what is before the table's positions.
  Result<void> check_table(const TableStatus& status, bool caught_up) {
    const bool is_people = status.name == kPeople;
    TableStatus expected = {.name = status.name};
    std::map<std::string, std::string> rows;
    for (size_t i = 0; i < partitions_; ++i) {
      auto next = position(status.name.c_str(), PartitionId(static_cast<int32_t>(i))).value;
      if (next < positions_[status.name][i] || static_cast<size_t>(next) > end_of(i))
        return wrong("{} is at {} of partition {}, {} was flushed", status.name, next, i,
                     positions_[status.name][i]);
      expected.waiting += static_cast<int64_t>(end_of(i)) - next;
      for (size_t offset = 0; offset < static_cast<size_t>(next); ++offset) {
        const auto& [id, nat] = pages_.records(i)[offset];
        if (is_people && nat == kFilteredByTable) {
          ++expected.filtered;
        } else if (is_people && nat == kRefusedByTable && !redriven_) {
          ++expected.dead_letters;
        } else {
          ++expected.written;
          rows[is_people ? id : nat] = is_people ? nat : id;
        }
      }
    }
    if (!status.balanced() || status.removed != 0 || status.written != expected.written ||
        status.filtered != expected.filtered || status.dead_letters != expected.dead_letters ||
        status.waiting != expected.waiting || (caught_up && status.waiting != 0))
      return wrong("{} counts {} written, {} filtered, {} refused, {} waiting, {} removed",
                   status.name, status.written, status.filtered, status.dead_letters,
                   status.waiting, status.removed);
    if (MR_TRY(rows_of(status.name)) != rows) return wrong("{} has other rows", status.name);
    return {};
  }

  Result<std::map<std::string, std::string>> rows_of(std::string_view name) {
    constexpr uint32_t kColumns[] = {0, 1};
    auto scan = MR_TRY(instance_->store().scan(table(name), kColumns));
    std::map<std::string, std::string> rows;
    while (MR_TRY(scan.next())) rows.emplace(scan.value(0).value(), scan.value(1).value_or(""));
    return rows;
  }

  Result<void> check_dead_letters(const Pages::After& after, bool caught_up) {
    auto list = MR_TRY(list_dead_letters(*instance_, {}, true, SIZE_MAX));
    std::vector<Pages::Refused> of_source;
    std::set<std::pair<int64_t, int64_t>> of_table;
    size_t open = 0;
    for (const auto& letter : list.newest) {
      auto item = nlohmann::json::parse(letter.value.value_or(""));
      if (letter.node == kSource) {
        of_source.push_back({letter.from_partition, letter.from_offset, item["login"]["uuid"]});
        continue;
      }
      const auto& record = pages_.records(
          static_cast<size_t>(letter.from_partition))[static_cast<size_t>(letter.from_offset)];
      if (record.nat != kRefusedByTable || item["id"] != record.id)
        return wrong("{} is not what was refused", letter.address());
      if (!of_table.emplace(letter.from_partition, letter.from_offset).second)
        return wrong("record {} of partition {} was refused twice", letter.from_offset,
                     letter.from_partition);
      if (letter.is_open) ++open;
    }
    std::ranges::sort(of_source, {}, [](const auto& one) { return std::pair(one.page, one.item); });
    if (!std::ranges::equal(of_source, std::span(pages_.refused()).first(after.refused)))
      return wrong("the source has {} dead letters, {} were refused", of_source.size(),
                   after.refused);
    return check_refused_records(of_table, open, caught_up);
  }

  // Before its positions each record that the table refuses has a dead letter; behind them, and
  // not open, may be what it wrote before the crash.
  Result<void> check_refused_records(const std::set<std::pair<int64_t, int64_t>>& letters,
                                     size_t open, bool caught_up) {
    size_t refused = 0;
    for (size_t i = 0; i < partitions_; ++i) {
      auto number = static_cast<int64_t>(i);
      auto next = position(kPeople, PartitionId(static_cast<int32_t>(i))).value;
      for (int64_t offset = 0; offset < next; ++offset) {
        if (pages_.records(i)[static_cast<size_t>(offset)].nat != kRefusedByTable) continue;
        ++refused;
        if (!letters.contains({number, offset}))
          return wrong("record {} of partition {} is no dead letter", offset, i);
      }
    }
    if (caught_up && letters.size() != refused)
      return wrong("{} dead letters of {} records", letters.size(), refused);
    if (open != (redriven_ ? 0 : refused))
      return wrong("{} dead letters are open of {}", open, refused);
    return {};
  }

  // By a file that refuses none, with a crash on the way.
  Result<void> redrive_all() {
    tell("redrive");
    end_process();
    pipeline_ = MR_TRY(load("true"));
    disk_.plan(1 + below(200), Fault::kDeath);
    MR_TRY(allowed(redrive_once()));
    end_process();
    disk_.forget_plan();
    MR_TRY(redrive_once());
    for (const char* node : {kPeople, kNations}) MR_TRY(instance_->run_here(node));
    redriven_ = true;
    return check(true);
  }

  Result<void> redrive_once() {
    MR_TRY(open());
    std::optional<DeadLetterPosition> next;
    do {
      DeadLetterFilter filter{.node = kPeople, .rule = "", .stage = ""};
      next = MR_TRY(redrive(*instance_, filter, next)).next;
    } while (next);
    return {};
  }

  template <class... Args>
  void tell(fmt::format_string<Args...> format, Args&&... args) const {
    if (replaying())
      fmt::print(stderr, "{}: {}\n", disk_.call_count(),
                 fmt::format(format, std::forward<Args>(args)...));
  }

  std::mt19937_64 random_;
  SimulatedDisk disk_;
  Logger logger_;
  QuickClock clock_;
  const size_t partitions_;
  const std::string url_;
  Pages pages_;
  std::optional<uint64_t> retention_bytes_;
  Instance::Options options_;
  spec::Pipeline pipeline_;
  std::unique_ptr<Instance> instance_;
  std::optional<Retention> retention_;
  int64_t pages_taken_ = 0;                                // so many were acknowledged
  std::vector<size_t> seen_;                               // ends of the topic's partitions
  std::map<std::string, std::vector<int64_t>> positions_;  // of tables, as they were flushed
  bool redriven_ = false;
};

TEST(CrashTest, EveryItemOfEveryPageIsThereInOrderOnce) {
  run_seeds(100, [](uint64_t seed) { return PipelineRun(seed).run(); });
}

// RocksDB called a flush done that was not, after an error of an earlier one.
TEST(CrashTest, AFlushThatFailedLateIsNotDone) {
  auto ran = PipelineRun(424).run();
  EXPECT_TRUE(ran) << ran.error().message();
}

TEST(CrashTest, ASeedMakesTheSameCallsEachTime) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    PipelineRun first(seed);
    PipelineRun second(seed);
    ASSERT_TRUE(first.run());
    ASSERT_TRUE(second.run());
    EXPECT_EQ(first.trace(), second.trace()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace millrace::pipeline
