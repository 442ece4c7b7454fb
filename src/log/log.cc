#include "log/log.h"

#include <algorithm>
#include <map>
#include <shared_mutex>

#include "base/check.h"
#include "log/partition.h"
#include "log/topic.h"

namespace millrace::log {
namespace {

// A topic is made in a folder that no topic can be named after, then renamed.
constexpr char kUnfinished = '~';

}  // namespace

Partition::Partition(std::unique_ptr<PartitionImpl> impl) : impl_(std::move(impl)) {}
Partition::~Partition() = default;

Result<Offset> Partition::append(std::string_view batch) {
  Offset base = MR_TRY(impl_->write(batch));
  MR_TRY(impl_->flush());
  impl_->show();
  return base;
}

void ReleaseSpace::operator()(PartitionImpl* partition) const {
  partition->release();
}
Result<void> Partition::check_whole() const {
  return impl_->check_whole();
}
Result<ReservedSpace> Partition::reserve(size_t bytes) {
  return impl_->reserve(bytes);
}

Result<Offset> Partition::write(std::string_view batch) {
  return impl_->write(batch);
}
Result<void> Partition::flush() {
  return impl_->flush();
}
void Partition::show() {
  impl_->show();
}
Offset Partition::start_offset() const {
  return impl_->start_offset();
}
Offset Partition::end_offset() const {
  return impl_->end_offset();
}
uint64_t Partition::size_bytes() const {
  return impl_->size_bytes();
}
std::optional<int64_t> Partition::max_timestamp_ms() const {
  return impl_->max_timestamp_ms();
}

Result<std::string_view> Partition::read(Offset from, size_t bytes_max, std::string& buffer) const {
  return impl_->read(from, bytes_max, buffer);
}

Result<Offset> Partition::offset_at(int64_t timestamp_ms) const {
  return impl_->offset_at(timestamp_ms);
}

Result<void> Partition::truncate(Offset end) {
  return impl_->truncate(end);
}

Result<Offset> Partition::kept_from(const Retention& retention, int64_t now_ms) {
  return impl_->kept_from(retention, now_ms);
}
Offset Partition::segment_start(Offset offset) const {
  return impl_->segment_start(offset);
}
Result<void> Partition::remove_before(Offset offset) {
  return impl_->remove_before(offset);
}

Topic::Topic(std::unique_ptr<TopicImpl> impl) : impl_(std::move(impl)) {}
Topic::~Topic() = default;
const std::string& Topic::name() const {
  return impl_->name();
}
const Uuid& Topic::id() const {
  return impl_->id();
}
std::string Topic::metadata() const {
  return impl_->metadata();
}
Result<void> Topic::set_metadata(std::string metadata) {
  return impl_->set_metadata(std::move(metadata));
}
Result<void> Topic::write_file(const std::string& folder, const std::string& name,
                               std::string_view bytes) {
  return impl_->write_file(folder, name, bytes);
}
Result<std::string> Topic::read_file(const std::string& folder, const std::string& name) const {
  return impl_->read_file(folder, name);
}
Result<std::vector<std::string>> Topic::files(const std::string& folder) const {
  return impl_->files(folder);
}
int32_t Topic::partition_count() const {
  return impl_->partition_count();
}
Partition& Topic::partition(PartitionId id) {
  return impl_->partition(id);
}

bool Topic::wait(std::span<const Offset> positions, std::chrono::milliseconds timeout,
                 std::stop_token stop) {
  return impl_->wait(positions, timeout, std::move(stop));
}

class Log::Impl {
 public:
  Impl(std::string path, Logger& logger, const Options& options)
      : path_(std::move(path)), logger_(logger), options_(options) {}

  Result<void> open();
  Result<Topic*> create_topic(std::string_view name, int32_t partitions, std::string metadata);
  Topic* find_topic(std::string_view name);
  std::vector<Topic*> topics();

 private:
  Result<Topic*> open_topic(std::string_view name);

  const std::string path_;
  Logger& logger_;
  const Options options_;
  std::mutex create_mutex_;  // held during I/O, so that lookups need not wait for it
  std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;
};

Result<void> Log::Impl::open() {
  auto& disk = *options_.disk;
  if (!options_.read_only) {
    MR_TRY(disk.make_directories(path_));
    MR_TRY(disk.sync_directory(path_));
  }
  for (const auto& name : MR_TRY(disk.list_directory(path_))) {
    std::string folder = path_ + "/" + name;
    if (name.front() == kUnfinished) {
      if (!options_.read_only) MR_TRY(disk.remove_tree(folder));
    } else if (!is_topic_name(name) || !MR_TRY(disk.file_exists(folder + "/topic.json"))) {
      logger_.warning("passed over what is no topic in the log's folder", {{"path", folder}});
    } else {
      MR_TRY(open_topic(name));
    }
  }
  return {};
}

Result<Topic*> Log::Impl::open_topic(std::string_view name) {
  auto impl = MR_TRY(TopicImpl::open(fmt::format("{}/{}", path_, name), name, options_, logger_));
  auto topic = std::make_unique<Topic>(std::move(impl));
  std::lock_guard lock(mutex_);
  return (topics_[std::string(name)] = std::move(topic)).get();
}

Result<Topic*> Log::Impl::create_topic(std::string_view name, int32_t partitions,
                                       std::string metadata) {
  if (!is_topic_name(name))
    return fail(ErrorCode::kInvalid,
                "'{}' cannot name a topic: 1 to {} letters, digits, dots, dashes and underscores",
                name, limits::kTopicNameMax);
  if (partitions < 1 || partitions > limits::kPartitionsMax)
    return fail(ErrorCode::kInvalid, "topic {} cannot have {} partitions: 1 to {}", name,
                partitions, limits::kPartitionsMax);
  if (options_.read_only)
    return fail(ErrorCode::kUnsupported, "the log {} was opened for reading only", path_);
  std::lock_guard create_lock(create_mutex_);
  if (find_topic(name)) return fail(ErrorCode::kConflict, "topic {} exists", name);

  auto& disk = *options_.disk;
  std::string folder = fmt::format("{}/{}", path_, name);
  std::string unfinished = fmt::format("{}/{}{}", path_, kUnfinished, name);
  // What an earlier call made and then could not sync: nobody has it, and it is made anew.
  if (MR_TRY(disk.file_exists(folder + "/topic.json"))) MR_TRY(disk.rename(folder, unfinished));
  TopicFile file{std::string(name), random_uuid(), partitions, std::move(metadata)};
  MR_TRY(TopicImpl::create(unfinished, file, options_, logger_));
  MR_TRY(disk.rename(unfinished, folder));
  MR_TRY(disk.sync_directory(path_));
  return open_topic(name);
}

Topic* Log::Impl::find_topic(std::string_view name) {
  std::shared_lock lock(mutex_);
  auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

std::vector<Topic*> Log::Impl::topics() {
  std::shared_lock lock(mutex_);
  std::vector<Topic*> all;
  for (const auto& [name, topic] : topics_) all.push_back(topic.get());
  return all;
}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(std::string path, Logger& logger, Options options) {
  MR_CHECK(options.segment_bytes <= size_t{1} << 30);
  auto impl = std::make_unique<Impl>(std::move(path), logger, options);
  MR_TRY(impl->open());
  return std::unique_ptr<Log>(new Log(std::move(impl)));
}

Result<Topic*> Log::create_topic(std::string_view name, int32_t partitions, std::string metadata) {
  return impl_->create_topic(name, partitions, std::move(metadata));
}
Topic* Log::find_topic(std::string_view name) {
  return impl_->find_topic(name);
}
std::vector<Topic*> Log::topics() {
  return impl_->topics();
}

}  // namespace millrace::log
