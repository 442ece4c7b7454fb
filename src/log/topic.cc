#include "log/topic.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/text.h"
#include "log/partition.h"

namespace millrace::log {
namespace {

constexpr int kFormat = 1;
constexpr size_t kTopicFileBytesMax = size_t{16} << 20;

std::string file_path(const std::string& folder) {
  return folder + "/topic.json";
}

std::string partition_path(const std::string& folder, int32_t partition) {
  return fmt::format("{}/{}", folder, partition);
}

template <class T>
std::optional<T> take(const nlohmann::json& object, const char* key) {
  auto found = object.find(key);
  if (found == object.end()) return std::nullopt;
  if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) return std::nullopt;
  } else {
    if (!found->is_number_integer()) return std::nullopt;
  }
  return found->get<T>();
}

}  // namespace

bool is_topic_name(std::string_view name) {
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= limits::kTopicNameMax && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), allowed);
}

Result<TopicFile> TopicFile::load(io::Disk& disk, const std::string& folder) {
  std::string path = file_path(folder);
  auto text = MR_TRY(disk.read_file(path, kTopicFileBytesMax));
  auto json = nlohmann::json::parse(text, nullptr, false);
  auto damaged = [&] {
    return fail(ErrorCode::kCorrupt, "{} is not what describes a topic; restore it from a copy",
                path);
  };
  if (!json.is_object()) return damaged();
  auto format = take<int64_t>(json, "format");
  if (!format) return damaged();
  if (*format != kFormat)
    return fail(ErrorCode::kUnsupported,
                "{} has format {}, this version reads format {}; use the version that wrote it",
                path, *format, kFormat);
  auto name = take<std::string>(json, "name");
  auto id = parse_uuid(take<std::string>(json, "id").value_or(""));
  auto partitions = take<int64_t>(json, "partitions");
  auto metadata = take<std::string>(json, "metadata");
  if (!name || !id || !partitions || !metadata || *partitions < 1 ||
      *partitions > limits::kPartitionsMax)
    return damaged();
  return TopicFile{*name, *id, static_cast<int32_t>(*partitions), *metadata};
}

Result<void> TopicFile::save(io::Disk& disk, const std::string& folder) const {
  if (!is_utf8(metadata))
    return fail(ErrorCode::kInvalid, "the metadata of topic {} is not UTF-8", name);
  nlohmann::ordered_json json = {{"format", kFormat},
                                 {"name", name},
                                 {"id", to_string(id)},
                                 {"partitions", partitions},
                                 {"metadata", metadata}};
  return disk.write_file_atomic(file_path(folder), json.dump(2) + "\n");
}

Result<void> TopicImpl::create(const std::string& folder, const TopicFile& file,
                               const Options& options, Logger& logger) {
  MR_TRY(options.disk->remove_tree(folder));
  for (int32_t i = 0; i < file.partitions; ++i)
    MR_TRY(PartitionImpl::create(partition_path(folder, i), options, logger));
  return file.save(*options.disk, folder);
}

Result<std::unique_ptr<TopicImpl>> TopicImpl::open(std::string folder, std::string_view name,
                                                   const Options& options, Logger& logger) {
  if (!options.read_only) MR_TRY(options.disk->sync_directory(folder));
  auto file = MR_TRY(TopicFile::load(*options.disk, folder));
  if (file.name != name)
    return fail(ErrorCode::kCorrupt, "{} describes topic {}; give the folder that name",
                file_path(folder), file.name);
  std::unique_ptr<TopicImpl> topic(new TopicImpl(std::move(folder), std::move(file), options));
  for (int32_t i = 0; i < topic->file_.partitions; ++i) {
    auto partition = MR_TRY(PartitionImpl::open(partition_path(topic->folder_, i), options, logger,
                                                [self = topic.get()] { self->wake_waiters(); }));
    topic->partitions_.push_back(std::make_unique<Partition>(std::move(partition)));
  }
  return topic;
}

std::string TopicImpl::metadata() const {
  std::lock_guard lock(metadata_mutex_);
  return file_.metadata;
}

Result<void> TopicImpl::set_metadata(std::string metadata) {
  if (options_.read_only)
    return fail(ErrorCode::kUnsupported, "the log {} was opened for reading only", folder_);
  std::lock_guard lock(metadata_mutex_);
  TopicFile changed = file_;
  changed.metadata = std::move(metadata);
  MR_TRY(changed.save(*options_.disk, folder_));
  file_.metadata = std::move(changed.metadata);
  return {};
}

Result<void> TopicImpl::write_file(const std::string& folder, const std::string& name,
                                   std::string_view bytes) {
  if (options_.read_only)
    return fail(ErrorCode::kUnsupported, "the log {} was opened for reading only", folder_);
  MR_TRY(options_.disk->make_directories(folder_ + "/" + folder));
  return options_.disk->write_file_atomic(fmt::format("{}/{}/{}", folder_, folder, name), bytes);
}

Result<std::string> TopicImpl::read_file(const std::string& folder, const std::string& name) const {
  return options_.disk->read_file(fmt::format("{}/{}/{}", folder_, folder, name),
                                  kTopicFileBytesMax);
}

Result<std::vector<std::string>> TopicImpl::files(const std::string& folder) const {
  std::string path = folder_ + "/" + folder;
  if (!MR_TRY(options_.disk->file_exists(path))) return std::vector<std::string>{};
  return options_.disk->list_directory(path);
}

Partition& TopicImpl::partition(PartitionId id) {
  MR_CHECK(id.value >= 0 && id.value < file_.partitions);
  return *partitions_[static_cast<size_t>(id.value)];
}

void TopicImpl::wake_waiters() {
  // Taken and dropped: a waiter that saw the old watermark is asleep before it is notified.
  {
    std::lock_guard lock(wait_mutex_);
  }
  moved_.notify_all();
}

bool TopicImpl::wait(std::span<const Offset> positions, std::chrono::milliseconds timeout,
                     std::stop_token stop) {
  MR_CHECK(positions.size() == partitions_.size());
  auto has_more = [&] {
    for (size_t i = 0; i < positions.size(); ++i)
      if (partitions_[i]->end_offset() > positions[i]) return true;
    return false;
  };
  // Adding more than this to the clock's time could overflow it.
  timeout = std::min<std::chrono::milliseconds>(timeout, std::chrono::hours(24 * 365));
  std::unique_lock lock(wait_mutex_);
  return moved_.wait_for(lock, stop, timeout, has_more) && !stop.stop_requested();
}

}  // namespace millrace::log
