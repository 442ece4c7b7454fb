// Appends, against the least that any durable log has to do: pwrite of the same bytes into a
// preallocated file and fdatasync after each. Group commit and reading, for their own sake.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <memory>
#include <string>

#include "io/io.h"
#include "log/log.h"
#include "record/record.h"

namespace millrace::log {
namespace {

std::string batch_of(int64_t bytes) {
  constexpr int64_t kRecordBytes = 380;
  record::BatchBuilder builder;
  for (int64_t i = 0; i < bytes / kRecordBytes; ++i)
    builder.append(1'000 + i, "0123456789abcdef", std::string(kRecordBytes - 28, 'v'));
  return std::string(builder.finish());
}

// A folder for one benchmark, beside the build: /tmp may be in memory.
class Folder {
 public:
  Folder() {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_ = (std::filesystem::current_path() / "log_bench.tmp").string();
};

struct OpenLog {
  explicit OpenLog(const Folder& folder)
      : log(std::move(*Log::open(folder.file("log"), logger))),
        partition(&(*log->create_topic("t", 1, ""))->partition(PartitionId(0))) {}
  Logger logger{LogFormat::kText, LogLevel::kWarning};
  std::unique_ptr<Log> log;
  Partition* partition;
};

void count_bytes(benchmark::State& state, const std::string& batch) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(batch.size()));
}

void raw_write_and_sync(benchmark::State& state) {
  Folder folder;
  std::string batch = batch_of(state.range(0));
  std::unique_ptr<io::File> file;
  uint64_t position = 0;
  int number = 0;
  for (auto _ : state) {
    if (!file || position + batch.size() > limits::kSegmentBytes) {
      file = std::make_unique<io::File>(std::move(
          *io::system_disk().open(folder.file(std::to_string(number++)), io::File::Mode::kCreate)));
      if (!file->allocate(limits::kSegmentBytes)) state.SkipWithError("cannot allocate");
      position = 0;
    }
    if (!file->write_at(position, batch) || !file->sync_data()) state.SkipWithError("cannot write");
    position += batch.size();
  }
  count_bytes(state, batch);
}

// The same into a file that has been written before, to its end: whether the file system is quicker
// where it has nothing to note.
void raw_overwrite_and_sync(benchmark::State& state) {
  Folder folder;
  std::string batch = batch_of(state.range(0));
  auto file = *io::system_disk().open(folder.file("written"), io::File::Mode::kCreate);
  const std::string zeros(limits::kSegmentBytes, '\0');
  if (!file.write_at(0, zeros) || !file.sync_data()) state.SkipWithError("cannot write");
  uint64_t position = 0;
  for (auto _ : state) {
    if (position + batch.size() > zeros.size()) position = 0;
    if (!file.write_at(position, batch) || !file.sync_data()) state.SkipWithError("cannot write");
    position += batch.size();
  }
  count_bytes(state, batch);
}

void append(benchmark::State& state) {
  Folder folder;
  std::string batch = batch_of(state.range(0));
  OpenLog open(folder);
  for (auto _ : state)
    if (!open.partition->append(batch)) state.SkipWithError("cannot append");
  count_bytes(state, batch);
}

// Threads that append to one partition share each fdatasync.
void append_together(benchmark::State& state) {
  static std::unique_ptr<Folder> folder;
  static std::unique_ptr<OpenLog> open;
  std::string batch = batch_of(state.range(0));
  if (state.thread_index() == 0) {
    folder = std::make_unique<Folder>();
    open = std::make_unique<OpenLog>(*folder);
  }
  for (auto _ : state)
    if (!open->partition->append(batch)) state.SkipWithError("cannot append");
  count_bytes(state, batch);
  if (state.thread_index() == 0) {
    open.reset();
    folder.reset();
  }
}

void read_from_page_cache(benchmark::State& state) {
  Folder folder;
  std::string batch = batch_of(state.range(0));
  OpenLog open(folder);
  constexpr uint64_t kTotalBytes = uint64_t{32} << 20;
  while (open.partition->size_bytes() < kTotalBytes) {
    for (int i = 0; i < 32; ++i)
      if (!open.partition->write(batch)) state.SkipWithError("cannot write");
    if (!open.partition->flush()) state.SkipWithError("cannot flush");
    open.partition->show();
  }
  std::string buffer;
  Offset next{0};
  int64_t bytes = 0;
  for (auto _ : state) {
    auto batches = open.partition->read(next, size_t{1} << 20, buffer);
    if (!batches) return state.SkipWithError("cannot read");
    bytes += static_cast<int64_t>(batches->size());
    auto count = static_cast<int64_t>(batches->size() / batch.size());
    next = next + count * record::parse_batch_header(batch)->count;
    if (next == open.partition->end_offset()) next = Offset(0);
  }
  state.SetBytesProcessed(bytes);
}

BENCHMARK(raw_write_and_sync)->Arg(380'000)->Arg(4'000)->UseRealTime();
BENCHMARK(raw_overwrite_and_sync)->Arg(380'000)->Arg(4'000)->UseRealTime();
BENCHMARK(append)->Arg(380'000)->Arg(4'000)->UseRealTime();
BENCHMARK(append_together)->Arg(380'000)->Arg(4'000)->Threads(8)->UseRealTime();
BENCHMARK(read_from_page_cache)->Arg(380'000)->Arg(4'000)->UseRealTime();

}  // namespace
}  // namespace millrace::log
