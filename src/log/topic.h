// What is behind a Topic: its folder, topic.json, its partitions, and those who wait for it.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "log/log.h"

namespace millrace::log {

// Kafka's rule, as of Log::create_topic().
bool is_topic_name(std::string_view name);

// topic.json, as docs/format/log.md describes it.
struct TopicFile {
  std::string name;
  Uuid id;
  int32_t partitions = 0;
  std::string metadata;

  // Errors: kNotFound, kCorrupt, kUnsupported (of a later version), kIo.
  static Result<TopicFile> load(io::Disk& disk, const std::string& folder);
  Result<void> save(io::Disk& disk, const std::string& folder) const;
};

class TopicImpl {
 public:
  // Makes all of a topic in `folder`, which has no meaning until it gets the topic's name.
  static Result<void> create(const std::string& folder, const TopicFile& file,
                             const Options& options, Logger& logger);
  static Result<std::unique_ptr<TopicImpl>> open(std::string folder, std::string_view name,
                                                 const Options& options, Logger& logger);

  const std::string& name() const { return file_.name; }
  const Uuid& id() const { return file_.id; }
  std::string metadata() const;
  Result<void> set_metadata(std::string metadata);
  Result<void> write_file(const std::string& folder, const std::string& name,
                          std::string_view bytes);
  Result<std::string> read_file(const std::string& folder, const std::string& name) const;
  Result<std::vector<std::string>> files(const std::string& folder) const;
  int32_t partition_count() const { return file_.partitions; }
  Partition& partition(PartitionId id);
  bool wait(std::span<const Offset> positions, std::chrono::milliseconds timeout,
            std::stop_token stop);

 private:
  TopicImpl(std::string folder, TopicFile file, const Options& options)
      : folder_(std::move(folder)), file_(std::move(file)), options_(options) {}
  void wake_waiters();

  const std::string folder_;
  TopicFile file_;
  const Options options_;
  mutable std::mutex metadata_mutex_;
  std::mutex wait_mutex_;
  std::condition_variable_any moved_;
  // Last, so that partitions end before what they wake.
  std::vector<std::unique_ptr<Partition>> partitions_;
};

}  // namespace millrace::log
