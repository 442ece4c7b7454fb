// The log on a disk that crashes and fails: what was acknowledged is there, in order, once.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>

#include "base/test_seeds.h"
#include "io/simulated_disk.h"
#include "log/log.h"
#include "record/record.h"

namespace millrace::log {
namespace {

using io::SimulatedDisk;
using Fault = SimulatedDisk::Fault;

struct Record {
  std::string value;
  bool ends_batch;
};

// What a partition may and must hold.
struct Model {
  std::vector<Record> records;  // by offset; behind `written` those of a write that failed
  size_t written = 0;
  size_t durable = 0;          // so many must survive
  size_t shown = 0;            // so many are visible
  bool takes_no_more = false;  // after an error, until it is opened again
};

// A full disk, an error or the end of the process, as planned.
Result<void> allowed(Result<void> done) {
  if (!done && done.error().code() == ErrorCode::kIo) return {};
  return done;
}

class CrashRun {
 public:
  explicit CrashRun(uint64_t seed)
      : random_(seed),
        disk_(seed),
        logger_(LogFormat::kText, LogLevel::kDebug, [](std::string_view line) {
          if (replaying()) fmt::print(stderr, "{}", line);
        }) {}

  Result<void> run() {
    partitions_.resize(1 + below(3));
    options_ = {.segment_bytes = 2'000 + below(20'000), .disk = &disk_};
    for (int round = 0; round < 25; ++round) {
      MR_TRY(open_through_crashes());
      MR_TRY(check_all());
      MR_TRY(compare_all());
      plan_faults();
      for (uint64_t steps = 5 + below(60); steps > 0 && !disk_.is_dead(); --steps) MR_TRY(step());
      // Most ends come upon a write that nobody has synced.
      for (size_t i = 0; i < partitions_.size(); ++i) MR_TRY(write(i));
      end_process();
    }
    MR_TRY(open_through_crashes());
    MR_TRY(check_all());
    for (size_t i = 0; i < partitions_.size(); ++i) MR_TRY(append(i));
    return compare_all();
  }

 private:
  uint64_t below(uint64_t end) { return random_() % end; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  Partition& partition(size_t i) { return topic_->partition(PartitionId(static_cast<int32_t>(i))); }

  void plan_faults() {
    if (!one_in(4)) disk_.plan(1 + below(uint64_t{1} << (1 + below(8))), Fault::kDeath);
    for (uint64_t i = below(4); i > 0; --i) disk_.plan(1 + below(200), Fault::kShort);
    if (one_in(4)) disk_.plan(1 + below(200), Fault::kError);
    if (one_in(4)) disk_.plan(1 + below(200), Fault::kNoSpace);
    if (one_in(4)) disk_.set_capacity(20'000 + below(100'000));
  }

  // Ends what runs, and perhaps the machine.
  void end_process() {
    if (one_in(2)) disk_.plan(1, Fault::kDeath);  // as it closes
    log_.reset();
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

  // Opens the log; now and then dies on the way.
  Result<void> open_through_crashes() {
    while (one_in(3)) {
      disk_.plan(1 + below(40), one_in(4) ? Fault::kError : Fault::kDeath);
      auto opened = open();
      if (opened) {
        MR_TRY(check_all());
        MR_TRY(allowed(compare_all()));
      } else {
        MR_TRY(allowed(opened));
      }
      end_process();
    }
    disk_.forget_plan();
    return open();
  }

  Result<void> open() {
    tell("opening");
    log_ = MR_TRY(Log::open("/log", logger_, options_));
    topic_ = log_->find_topic("t");
    if (topic_ == nullptr) {
      if (made_) return fail(ErrorCode::kCorrupt, "the topic is gone");
      topic_ =
          MR_TRY(log_->create_topic("t", static_cast<int32_t>(partitions_.size()), metadata_[0]));
    }
    if (std::ranges::find(metadata_, topic_->metadata()) == metadata_.end())
      return fail(ErrorCode::kCorrupt, "the metadata is '{}'", topic_->metadata());
    if (topic_->partition_count() != static_cast<int32_t>(partitions_.size()))
      return fail(ErrorCode::kCorrupt, "{} partitions", topic_->partition_count());
    made_ = true;
    metadata_ = {topic_->metadata()};
    return {};
  }

  Result<void> check_all() {
    for (size_t i = 0; i < partitions_.size(); ++i) MR_TRY(check(i));
    return {};
  }

  Result<void> compare_all() {
    for (size_t i = 0; i < partitions_.size(); ++i) MR_TRY(compare(i, 0));
    return {};
  }

  // How much a partition holds after opening, compared with what it must and may.
  Result<void> check(size_t i) {
    auto& model = partitions_[i];
    auto end = static_cast<size_t>(partition(i).end_offset().value);
    tell("partition {} ends at {}: {} to {} expected", i, end, model.durable, model.records.size());
    if (end < model.durable || end > model.records.size())
      return fail(ErrorCode::kCorrupt,
                  "partition {} ends at {}, but {} records were acknowledged and {} written", i,
                  end, model.durable, model.records.size());
    if (end > 0 && !model.records[end - 1].ends_batch)
      return fail(ErrorCode::kCorrupt, "partition {} ends at {}, in a batch", i, end);
    model.records.resize(end);
    model.durable = model.written = model.shown = end;
    model.takes_no_more = false;
    return {};
  }

  // Reads from `from` to the partition's end and compares each record.
  Result<void> compare(size_t i, size_t from) {
    const auto& records = partitions_[i].records;
    auto end = static_cast<size_t>(partition(i).end_offset().value);
    std::string buffer;
    for (size_t next = from; next < end;) {
      auto bytes =
          MR_TRY(partition(i).read(Offset(static_cast<int64_t>(next)), 1 + below(9'000), buffer));
      if (bytes.empty()) return fail(ErrorCode::kCorrupt, "nothing at offset {}", next);
      while (!bytes.empty()) {
        auto batch = MR_TRY(record::BatchReader::open(bytes));
        bytes.remove_prefix(batch.header().size_bytes);
        record::RecordView record;
        while (MR_TRY(batch.next(record))) {
          auto at = static_cast<size_t>(record.offset.value);
          if (at < next) continue;
          if (at != next || at >= end || record.value != records[at].value)
            return fail(ErrorCode::kCorrupt, "partition {} has another record at {}", i, at);
          ++next;
        }
      }
    }
    return {};
  }

  Result<void> step() {
    size_t i = below(partitions_.size());
    MR_TRY(change(i));
    auto end = static_cast<size_t>(partition(i).end_offset().value);
    if (end == partitions_[i].shown) return {};
    return fail(ErrorCode::kCorrupt, "partition {} shows {} records, {} were shown", i, end,
                partitions_[i].shown);
  }

  Result<void> change(size_t i) {
    switch (below(11)) {
      case 0:
        (void)partition(i).reserve(below(10'000));
        return {};
      case 1:
        return flush(i);
      case 2:
        return read(i);
      case 3:
        return one_in(4) ? truncate(i) : Result<void>();
      case 4:
        set_metadata();
        return {};
      case 5:
      case 6:
        return show(i);
      case 7:
        (void)partition(i).kept_from({.time = std::chrono::milliseconds(0)}, INT64_MAX);
        return {};
      default:
        MR_TRY(write(i));
        return one_in(2) ? show(i) : Result<void>();
    }
  }

  Result<void> write(size_t i) {
    auto& model = partitions_[i];
    record::BatchBuilder builder;
    std::vector<Record> records;
    for (uint64_t count = 1 + below(4); count > 0; --count) {
      std::string value = fmt::format("{} ", ++number_);
      value.resize(10 + below(one_in(10) ? 9'000 : 900), static_cast<char>('a' + below(26)));
      builder.append(static_cast<int64_t>(number_), std::nullopt, value);
      records.push_back({std::move(value), count == 1});
    }
    if (model.takes_no_more || !partition(i).reserve(builder.size_bytes())) return {};
    tell("write of {} to partition {} at {}", records.size(), i, model.written);
    std::ranges::move(records, std::back_inserter(model.records));
    auto base = partition(i).write(builder.finish());
    model.takes_no_more = !base;
    if (!base) return allowed(std::unexpected(std::move(base).error()));
    if (base->value != static_cast<int64_t>(model.written))
      return fail(ErrorCode::kCorrupt, "offset {} after {} records", base->value, model.written);
    model.written = model.records.size();
    return {};
  }

  // Where nothing fails.
  Result<void> append(size_t i) {
    auto& model = partitions_[i];
    record::BatchBuilder builder;
    builder.append(0, std::nullopt, "last");
    auto base = MR_TRY(partition(i).append(builder.finish()));
    if (base.value != static_cast<int64_t>(model.written))
      return fail(ErrorCode::kCorrupt, "offset {} after {} records", base.value, model.written);
    model.records.push_back({"last", true});
    return {};
  }

  Result<void> show(size_t i) {
    auto& model = partitions_[i];
    MR_TRY(flush(i));
    if (model.takes_no_more) return {};
    partition(i).show();
    tell("partition {} shows all", i);
    model.shown = model.written;
    return {};
  }

  // Not shown by it, but no crash may take back what was flushed.
  Result<void> flush(size_t i) {
    auto& model = partitions_[i];
    auto flushed = partition(i).flush();
    tell("flush of partition {}: {}", i, flushed ? "done" : flushed.error().message());
    model.takes_no_more |= !flushed;
    if (flushed && !model.takes_no_more) model.durable = model.written;
    return allowed(flushed);
  }

  Result<void> read(size_t i) {
    auto end = static_cast<size_t>(partition(i).end_offset().value);
    return allowed(compare(i, below(end + 1)));
  }

  Result<void> truncate(size_t i) {
    auto& model = partitions_[i];
    size_t end = below(model.shown + 1);
    if (end > 0 && !model.records[end - 1].ends_batch) return {};
    // On the way, whole batches from the end on may be gone.
    model.durable = std::min(model.durable, end);
    auto cut = partition(i).truncate(Offset(static_cast<int64_t>(end)));
    tell("cut of partition {} at {}: {}", i, end, cut ? "done" : cut.error().message());
    model.takes_no_more |= !cut;
    if (!cut) return allowed(cut);
    model.records.resize(end);
    model.durable = model.written = model.shown = end;
    return {};
  }

  void set_metadata() {
    metadata_.push_back(std::to_string(++number_));
    if (topic_->set_metadata(metadata_.back())) metadata_ = {metadata_.back()};
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
  Options options_;
  std::unique_ptr<Log> log_;
  Topic* topic_ = nullptr;
  std::vector<Model> partitions_;
  bool made_ = false;
  std::vector<std::string> metadata_ = {"{}"};  // what it may be
  uint64_t number_ = 0;                         // of the newest record
};

TEST(CrashTest, WhatTheLogAcknowledgedIsThereInOrderOnce) {
  run_seeds(200, [](uint64_t seed) { return CrashRun(seed).run(); });
}

TEST(CrashTest, ATopicThatCouldNotBeMadeIsMadeAtTheNextTry) {
  Logger logger(LogFormat::kText, LogLevel::kError, [](std::string_view) {});
  bool failed = true;
  for (uint64_t call = 1; failed; ++call) {
    SimulatedDisk disk(call);
    auto log = *Log::open("/log", logger, {.segment_bytes = 4'000, .disk = &disk});
    disk.plan(call, Fault::kError);
    failed = !log->create_topic("t", 2, "{}");
    if (!failed) continue;
    disk.forget_plan();
    auto made = log->create_topic("t", 2, "{}");
    ASSERT_TRUE(made) << "call " << call << ": " << made.error().message();
    disk.crash();
    log = *Log::open("/log", logger, {.segment_bytes = 4'000, .disk = &disk});
    EXPECT_NE(log->find_topic("t"), nullptr);
  }
}

// Of a process that died as it cut: what the next one finds is what all later ones find.
TEST(CrashTest, ACutThatWasFoundIsNotUndone) {
  Logger logger(LogFormat::kText, LogLevel::kError, [](std::string_view) {});
  for (uint64_t run = 0; run < 300; ++run) {
    SimulatedDisk disk(run);
    auto open = [&] { return *Log::open("/log", logger, {.segment_bytes = 4'000, .disk = &disk}); };
    auto end_in = [](Log& log) {
      return log.find_topic("t")->partition(PartitionId(0)).end_offset();
    };
    {
      auto log = open();
      auto& partition = (*log->create_topic("t", 1, "{}"))->partition(PartitionId(0));
      for (int i = 0; i < 3; ++i) {
        record::BatchBuilder builder;
        builder.append(i, std::nullopt, "value");
        ASSERT_TRUE(partition.append(builder.finish()));
      }
      disk.plan(1 + run % 15, Fault::kDeath);
      (void)partition.truncate(Offset(1));
    }
    disk.restart_process();
    auto log = open();
    Offset found = end_in(*log);
    disk.plan(1, Fault::kDeath);
    log.reset();
    disk.crash();
    EXPECT_EQ(end_in(*open()), found) << "run " << run;
  }
}

}  // namespace
}  // namespace millrace::log
