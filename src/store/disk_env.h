// RocksDB's view of an io::Disk, for disks other than the machine's, which RocksDB reads and writes
// by its own means.
#pragma once

#include <rocksdb/env.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "io/disk.h"

namespace millrace::store {

// Everything RocksDB does in the background (writing memtables, compaction) is done by one thread,
// in the order it was asked for. Who waits until that is idle before the next call of the database
// has the same calls of the disk, in the same order, whenever the database is asked for the same.
// That also needs max_file_opening_threads = 1 and no log of RocksDB's own; and memtables that are
// written after each commit or when asked for, since what they take of memory is chance.
//
// What RocksDB does not use in this store (links, memory maps, files written at random) is
// Status::NotSupported.
class DiskEnv final : public rocksdb::Env {
 public:
  explicit DiskEnv(io::Disk& disk);  // which outlives it
  ~DiskEnv() override;

  // Until nothing is left to do in the background; what failed there is tried once more, and then
  // again at the next call. What is asked for before the first call begins with it: an opening
  // database still looks at its files then.
  void wait_until_idle();

  rocksdb::Status NewSequentialFile(const std::string& path,
                                    std::unique_ptr<rocksdb::SequentialFile>* result,
                                    const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewRandomAccessFile(const std::string& path,
                                      std::unique_ptr<rocksdb::RandomAccessFile>* result,
                                      const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewWritableFile(const std::string& path,
                                  std::unique_ptr<rocksdb::WritableFile>* result,
                                  const rocksdb::EnvOptions& options) override;
  rocksdb::Status NewDirectory(const std::string& path,
                               std::unique_ptr<rocksdb::Directory>* result) override;
  rocksdb::Status FileExists(const std::string& path) override;
  rocksdb::Status IsDirectory(const std::string& path, bool* is_directory) override;
  rocksdb::Status GetChildren(const std::string& path, std::vector<std::string>* result) override;
  rocksdb::Status DeleteFile(const std::string& path) override;
  rocksdb::Status CreateDir(const std::string& path) override;
  rocksdb::Status CreateDirIfMissing(const std::string& path) override;
  rocksdb::Status DeleteDir(const std::string& path) override;
  rocksdb::Status GetFileSize(const std::string& path, uint64_t* size) override;
  rocksdb::Status GetFileModificationTime(const std::string& path, uint64_t* time) override;
  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override;
  rocksdb::Status LockFile(const std::string& path, rocksdb::FileLock** lock) override;
  rocksdb::Status UnlockFile(rocksdb::FileLock* lock) override;
  rocksdb::Status GetTestDirectory(std::string* path) override;
  rocksdb::Status GetAbsolutePath(const std::string& path, std::string* absolute) override;

  void Schedule(void (*function)(void*), void* argument, Priority priority, void* tag,
                void (*cancel)(void*)) override;
  int UnSchedule(void* tag, Priority priority) override;
  void StartThread(void (*function)(void*), void* argument) override;
  void SetBackgroundThreads(int, Priority) override {}
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}
  int GetBackgroundThreads(Priority priority) override { return priority == BOTTOM ? 0 : 1; }

  uint64_t NowMicros() override;
  uint64_t NowNanos() override;
  // RocksDB sleeps after an error, before it cleans up and tries again.
  void SleepForMicroseconds(int micros) override;
  rocksdb::Status GetCurrentTime(int64_t* unix_time) override;
  std::string TimeToString(uint64_t time) override;
  rocksdb::Status GetHostName(char* name, uint64_t size) override;

 private:
  struct Work {
    void (*function)(void*);
    void* argument;
    Priority priority;
    void* tag;
    void (*cancel)(void*);
  };
  void work(const std::stop_token& stop);

  io::Disk& disk_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Work> queue_;
  bool working_ = false;
  bool started_ = false;
  bool asleep_ = false;  // what is worked on
  std::jthread worker_;  // last: it uses the others
};

}  // namespace millrace::store
