// What the log's tests share: a temporary folder, batches whose records say their own number, and
// reading all of a partition.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/io.h"
#include "log/log.h"
#include "record/record.h"

namespace millrace::log {

// One batch of `count` records of about `value_bytes` each; timestamps `timestamp_ms`, +1, +2, …
inline std::string batch_of(int count, size_t value_bytes = 20, int64_t timestamp_ms = 1'000) {
  record::BatchBuilder builder;
  for (int i = 0; i < count; ++i)
    builder.append(timestamp_ms + i, std::to_string(i), std::string(value_bytes, 'v'));
  return std::string(builder.finish());
}

class LogTest : public testing::Test {
 protected:
  static constexpr size_t kReadBytes = size_t{1} << 20;

  void SetUp() override {
    std::string pattern = testing::TempDir() + "millrace-log-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string path(std::string_view name) const { return folder_ + "/" + std::string(name); }
  // The path of a file of partition 0 of topic "t" in the log `name`.
  std::string file(std::string_view name, int64_t base, std::string_view suffix) const {
    return fmt::format("{}/{}/t/0/{:020}{}", folder_, name, base, suffix);
  }

  // Opens the log `name` in place of the one open before; partition 0 of topic "t", made if need
  // be, is partition().
  Result<void> open(std::string_view name = "log", Options options = {}) {
    log_.reset();
    log_ = MR_TRY(Log::open(path(name), logger_, options));
    topic_ = log_->find_topic("t");
    if (!topic_ && !options.read_only) topic_ = MR_TRY(log_->create_topic("t", 1, "{}"));
    return {};
  }
  Partition& partition() { return topic_->partition(PartitionId(0)); }

  // A crash: the files as they are now, without what closing adds.
  void copy(std::string_view from, std::string_view to) {
    std::filesystem::remove_all(path(to));
    std::filesystem::copy(path(from), path(to), std::filesystem::copy_options::recursive);
  }

  // Offsets of all records from `from` to the end, checked to be without a gap; returns how many.
  static int64_t read_all(const Partition& partition, Offset from, size_t bytes_max = kReadBytes) {
    std::string buffer;
    Offset next = from;
    for (;;) {
      auto batches = partition.read(next, bytes_max, buffer);
      if (!batches) {
        ADD_FAILURE() << batches.error().message();
        return -1;
      }
      if (batches->empty()) return next - from;
      while (!batches->empty()) {
        auto reader = record::BatchReader::open(*batches);
        if (!reader || reader->header().base_offset > next) {
          ADD_FAILURE() << "no batch that holds offset " << next.value;
          return -1;
        }
        record::RecordView record;
        while (*reader->next(record)) {
        }
        next = reader->header().next_offset();
        batches->remove_prefix(reader->header().size_bytes);
      }
    }
  }
  int64_t count_all() { return read_all(partition(), partition().start_offset()); }

  Logger logger_{LogFormat::kText, LogLevel::kError};
  std::string folder_;
  std::unique_ptr<Log> log_;
  Topic* topic_ = nullptr;
};

}  // namespace millrace::log
