#include "store/disk_env.h"

#include <cerrno>
#include <chrono>
#include <stop_token>
#include <utility>

#include "io/file.h"

namespace millrace::store {
namespace {

using rocksdb::Slice;
using rocksdb::Status;

// The subcodes are those of RocksDB's own env: after "no space" it goes on when it is told to.
Status to_status(const Error& error) {
  const auto& message = error.message();
  if (error.code() == ErrorCode::kNotFound) return Status::PathNotFound(message);
  if (message.find(errno_text(ENOSPC)) != std::string::npos) return Status::NoSpace(message);
  return Status::IOError(message);
}

template <class T>
Status to_status(const Result<T>& result) {
  return result ? Status::OK() : to_status(result.error());
}

class SequentialFile final : public rocksdb::SequentialFile {
 public:
  explicit SequentialFile(io::File file) : file_(std::move(file)) {}

  Status Read(size_t size, Slice* result, char* scratch) override {
    auto got = file_.read_some_at(position_, scratch, size);
    *result = Slice(scratch, got.value_or(0));
    position_ += got.value_or(0);
    return to_status(got);
  }
  Status Skip(uint64_t size) override {
    position_ += size;
    return Status::OK();
  }

 private:
  io::File file_;
  uint64_t position_ = 0;
};

class RandomAccessFile final : public rocksdb::RandomAccessFile {
 public:
  explicit RandomAccessFile(io::File file) : file_(std::move(file)) {}

  Status Read(uint64_t position, size_t size, Slice* result, char* scratch) const override {
    auto got = file_.read_some_at(position, scratch, size);
    *result = Slice(scratch, got.value_or(0));
    return to_status(got);
  }

 private:
  io::File file_;
};

class WritableFile final : public rocksdb::WritableFile {
 public:
  explicit WritableFile(io::File file) : file_(std::move(file)) {}

  Status Append(const Slice& bytes) override {
    auto written = file_.write_at(size_, {bytes.data(), bytes.size()});
    if (written) size_ += bytes.size();
    return to_status(written);
  }
  using rocksdb::WritableFile::Append;
  Status Truncate(uint64_t size) override {
    auto cut = file_.truncate(size);
    if (cut) size_ = size;
    return to_status(cut);
  }
  Status Close() override { return Status::OK(); }
  Status Flush() override { return Status::OK(); }
  Status Sync() override { return to_status(file_.sync_data()); }
  uint64_t GetFileSize() override { return size_; }

 private:
  io::File file_;
  uint64_t size_ = 0;
};

class Directory final : public rocksdb::Directory {
 public:
  Directory(io::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}

  Status Fsync() override { return to_status(disk_.sync_directory(path_)); }
  Status Close() override { return Status::OK(); }

 private:
  io::Disk& disk_;
  const std::string path_;
};

class FileLock final : public rocksdb::FileLock {
 public:
  explicit FileLock(io::File file) : file_(std::move(file)) {}
  io::File file_;
};

template <class Made, class Base>
Status open(io::Disk& disk, const std::string& path, io::File::Mode mode,
            std::unique_ptr<Base>* result) {
  auto file = disk.open(path, mode);
  if (!file) return to_status(file.error());
  *result = std::make_unique<Made>(*std::move(file));
  return Status::OK();
}

}  // namespace

DiskEnv::DiskEnv(io::Disk& disk)
    : disk_(disk), worker_([this](const std::stop_token& stop) { work(stop); }) {}

DiskEnv::~DiskEnv() = default;

void DiskEnv::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return started_ && !queue_.empty(); })) {
    auto next = queue_.front();
    queue_.pop_front();
    working_ = true;
    lock.unlock();
    next.function(next.argument);
    lock.lock();
    working_ = false;
    changed_.notify_all();
  }
}

void DiskEnv::wait_until_idle() {
  std::unique_lock lock(mutex_);
  auto rests = [&] { return queue_.empty() && (asleep_ || !working_); };
  started_ = true;
  changed_.notify_all();
  changed_.wait(lock, rests);
  // Whether a call of the database or the sleep after its error came first, it is woken here.
  asleep_ = false;
  changed_.notify_all();
  changed_.wait(lock, rests);
}

void DiskEnv::Schedule(void (*function)(void*), void* argument, Priority priority, void* tag,
                       void (*cancel)(void*)) {
  std::lock_guard lock(mutex_);
  queue_.push_back({function, argument, priority, tag, cancel});
  changed_.notify_all();
}

int DiskEnv::UnSchedule(void* tag, Priority priority) {
  std::vector<Work> cancelled;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(queue_, [&](const Work& work) {
      if (work.tag != tag || work.priority != priority) return false;
      cancelled.push_back(work);
      return true;
    });
    changed_.notify_all();
  }
  for (const auto& work : cancelled)
    if (work.cancel != nullptr) work.cancel(work.argument);
  return static_cast<int>(cancelled.size());
}

void DiskEnv::StartThread(void (*function)(void*), void* argument) {
  rocksdb::Env::Default()->StartThread(function, argument);
}

Status DiskEnv::NewSequentialFile(const std::string& path,
                                  std::unique_ptr<rocksdb::SequentialFile>* result,
                                  const rocksdb::EnvOptions&) {
  return open<SequentialFile>(disk_, path, io::File::Mode::kRead, result);
}

Status DiskEnv::NewRandomAccessFile(const std::string& path,
                                    std::unique_ptr<rocksdb::RandomAccessFile>* result,
                                    const rocksdb::EnvOptions&) {
  return open<RandomAccessFile>(disk_, path, io::File::Mode::kRead, result);
}

Status DiskEnv::NewWritableFile(const std::string& path,
                                std::unique_ptr<rocksdb::WritableFile>* result,
                                const rocksdb::EnvOptions&) {
  return open<WritableFile>(disk_, path, io::File::Mode::kCreate, result);
}

Status DiskEnv::NewDirectory(const std::string& path, std::unique_ptr<rocksdb::Directory>* result) {
  auto found = disk_.is_directory(path);
  if (!found) return to_status(found);
  if (!*found) return Status::IOError(path, "not a folder");
  *result = std::make_unique<Directory>(disk_, path);
  return Status::OK();
}

Status DiskEnv::FileExists(const std::string& path) {
  auto exists = disk_.file_exists(path);
  return exists && !*exists ? Status::NotFound(path) : to_status(exists);
}

Status DiskEnv::IsDirectory(const std::string& path, bool* is_directory) {
  auto found = disk_.is_directory(path);
  *is_directory = found.value_or(false);
  return to_status(found);
}

Status DiskEnv::GetChildren(const std::string& path, std::vector<std::string>* result) {
  auto names = disk_.list_directory(path);
  if (!names && names.error().code() == ErrorCode::kNotFound) return Status::NotFound(path);
  *result = names.value_or(std::vector<std::string>());
  return to_status(names);
}

Status DiskEnv::DeleteFile(const std::string& path) {
  return to_status(disk_.remove_file(path));
}

Status DiskEnv::CreateDir(const std::string& path) {
  return to_status(disk_.make_directories(path));
}

Status DiskEnv::CreateDirIfMissing(const std::string& path) {
  return to_status(disk_.make_directories(path));
}

Status DiskEnv::DeleteDir(const std::string& path) {
  return to_status(disk_.remove_directory(path));
}

Status DiskEnv::GetFileSize(const std::string& path, uint64_t* size) {
  auto file = disk_.open(path, io::File::Mode::kRead);
  if (!file) return to_status(file.error());
  auto found = file->size();
  *size = found.value_or(0);
  return to_status(found);
}

Status DiskEnv::GetFileModificationTime(const std::string& path, uint64_t*) {
  return Status::NotSupported("the time of the last change", path);
}

Status DiskEnv::RenameFile(const std::string& from, const std::string& to) {
  return to_status(disk_.rename(from, to));
}

Status DiskEnv::LockFile(const std::string& path, rocksdb::FileLock** lock) {
  auto file = disk_.open(path, io::File::Mode::kOpenOrCreate);
  if (!file) return to_status(file.error());
  auto locked = file->try_lock();
  if (!locked) return to_status(locked);
  if (!*locked) return Status::IOError(path, "in use by another process");
  *lock = new FileLock(*std::move(file));
  return Status::OK();
}

Status DiskEnv::UnlockFile(rocksdb::FileLock* lock) {
  delete lock;
  return Status::OK();
}

Status DiskEnv::GetTestDirectory(std::string*) {
  return Status::NotSupported("a folder for tests");
}

Status DiskEnv::GetAbsolutePath(const std::string& path, std::string* absolute) {
  *absolute = path;
  return Status::OK();
}

uint64_t DiskEnv::NowMicros() {
  return rocksdb::Env::Default()->NowMicros();
}
uint64_t DiskEnv::NowNanos() {
  return rocksdb::Env::Default()->NowNanos();
}
void DiskEnv::SleepForMicroseconds(int micros) {
  std::unique_lock lock(mutex_);
  asleep_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, std::chrono::microseconds(micros),
                    [&] { return !asleep_ || !queue_.empty(); });
  asleep_ = false;
}
Status DiskEnv::GetCurrentTime(int64_t* unix_time) {
  return rocksdb::Env::Default()->GetCurrentTime(unix_time);
}
std::string DiskEnv::TimeToString(uint64_t time) {
  return rocksdb::Env::Default()->TimeToString(time);
}
Status DiskEnv::GetHostName(char* name, uint64_t size) {
  return rocksdb::Env::Default()->GetHostName(name, size);
}

}  // namespace millrace::store
