// What the store costs over the RocksDB below it. Each ingest reports CPU seconds (all threads) a
// million rows; the references write values of the same size by sorted Puts, with the same options.
#include <benchmark/benchmark.h>
#include <rocksdb/db.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "store/rocks.h"
#include "store/store.h"

namespace millrace::store {
namespace {

constexpr int64_t kRows = 2'000'000;
constexpr int64_t kScanRows = 500'000;
constexpr size_t kValueBytes = 375;  // what the row below takes, packed

class Folder {
 public:
  Folder() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/millrace_store_bench_XXXXXX";
    MR_CHECK(::mkdtemp(path_.data()) != nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string path() const { return path_ + "/store"; }

 private:
  std::string path_;
};

io::Clock& machine_clock() {
  static io::SystemClock clock;
  return clock;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The most that was ever resident, in this and earlier benchmarks of the process.
double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
}

TableDefinition users() {
  TableDefinition definition{.keyspace = "bench",
                             .name = "users",
                             .columns = {},
                             .partition_key = {"id"},
                             .clustering_key = {},
                             .metadata = ""};
  definition.columns.push_back({.name = "id", .type = {}});
  definition.columns[0].type.kind = schema::Kind::kUuid;
  for (int i = 1; i < 12; ++i)
    definition.columns.push_back({.name = fmt::format("column_{}", i), .type = {}});
  return definition;
}

// 11 texts of 8 to 54 bytes, 341 together, half of them like words and half like numbers.
class Rows {
 public:
  Rows() {
    for (size_t i = 0; i < 64 * 1024; ++i)
      text_ += static_cast<char>((i / 20) % 2 == 0 ? 'a' + random_() % 26 : '0' + random_() % 10);
  }
  std::span<const CellValue> next() {
    id_.clear();
    append_be(id_, random_());
    append_be(id_, random_());
    values_[0] = id_;
    size_t at = random_() % (text_.size() - 1024);
    for (size_t i = 1; i < values_.size(); ++i) {
      size_t length = 4 + i * 9 / 2;
      values_[i] = std::string_view(text_).substr(at, length);
      at += length;
    }
    return values_;
  }

 private:
  std::mt19937_64 random_{1};
  std::string text_;
  std::string id_;
  std::array<CellValue, 12> values_;
};

Logger& quiet() {
  static Logger logger(LogFormat::kText, LogLevel::kWarning);
  return logger;
}

std::unique_ptr<Store> open(const Folder& folder) {
  auto store = Store::open(folder.path(), quiet(), {});
  MR_CHECK(store.has_value());
  return *std::move(store);
}

void ingest(Store& store, const TablePtr& table, int64_t rows) {
  Rows source;
  Batch batch;
  for (int64_t row = 0; row < rows; ++row) {
    MR_CHECK(batch.upsert(*table, source.next(), {1'700'000'000'000'000 + row, {Offset(row)}})
                 .has_value());
    if (batch.row_count() < limits::kBatchRecords && row + 1 < rows) continue;
    batch.set_progress(*table, "users", PartitionId(0), {.next = Offset(row + 1)});
    MR_CHECK(store.commit(batch).has_value());
  }
}

void report(benchmark::State& state, int64_t rows, double cpu) {
  state.SetItemsProcessed(state.iterations() * rows);
  state.counters["cpu_s_per_million"] = cpu * 1e6 / static_cast<double>(state.iterations() * rows);
  state.counters["peak_mb"] = peak_mb();
}

void store_ingest(benchmark::State& state) {
  double cpu = 0;
  for (auto _ : state) {
    Folder folder;
    auto store = open(folder);
    auto table = *store->create_table(users());
    double before = cpu_seconds();
    ingest(*store, table, kRows);
    MR_CHECK(store->flush().has_value());
    cpu += cpu_seconds() - before;
    state.PauseTiming();
    store.reset();
    state.ResumeTiming();
  }
  report(state, kRows, cpu);
}
BENCHMARK(store_ingest)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);

void rocksdb_ingest(benchmark::State& state) {
  double cpu = 0;
  for (auto _ : state) {
    Folder folder;
    std::filesystem::create_directories(folder.path());
    rocksdb::DB* db = nullptr;
    MR_CHECK(rocksdb::DB::Open(database_options(machine_clock()), folder.path(), &db).ok());
    double before = cpu_seconds();
    std::mt19937_64 random(1);
    Rows source;
    rocksdb::WriteBatch batch;
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    std::vector<std::pair<std::string, std::string>> rows(limits::kBatchRecords);
    for (int64_t done = 0; done < kRows; done += static_cast<int64_t>(rows.size())) {
      for (auto& [key, value] : rows) {
        auto values = source.next();
        key.assign("\0\0\0\1", 4);
        append_be(key, random());
        key += *values[0];
        value.clear();
        for (const auto& bytes : values.subspan(1)) value += *bytes;
        value.resize(kValueBytes);
      }
      std::ranges::sort(rows);
      batch.Clear();
      for (const auto& [key, value] : rows) batch.Put(key, value);
      MR_CHECK(db->Write(options, &batch).ok());
    }
    MR_CHECK(db->Flush({}).ok());
    cpu += cpu_seconds() - before;
    state.PauseTiming();
    delete db;
    state.ResumeTiming();
  }
  report(state, kRows, cpu);
}
BENCHMARK(rocksdb_ingest)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);

// One store for all reads, as an ingest leaves it.
struct Filled {
  Filled() {
    table = *store->create_table(users());
    ingest(*store, table, kScanRows);
  }
  Folder folder;
  std::unique_ptr<Store> store = open(folder);
  TablePtr table;
};
Filled& filled() {
  static Filled filled;
  return filled;
}

void store_scan(benchmark::State& state, const std::vector<uint32_t>& columns) {
  auto& from = filled();
  double before = cpu_seconds();
  for (auto _ : state) {
    auto scan = from.store->scan(from.table, columns);
    MR_CHECK(scan.has_value());
    int64_t rows = 0;
    size_t bytes = 0;
    while (*scan->next()) {
      ++rows;
      for (size_t i = 0; i < columns.size(); ++i) bytes += scan->value(i)->size();
    }
    benchmark::DoNotOptimize(bytes);
    MR_CHECK(rows == kScanRows);
  }
  report(state, kScanRows, cpu_seconds() - before);
}
BENCHMARK_CAPTURE(store_scan, count, {})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(store_scan, all, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
    ->Unit(benchmark::kMillisecond);

void store_point_read(benchmark::State& state) {
  auto& from = filled();
  Rows source;
  std::vector<std::string> keys;
  for (int i = 0; i < 10'000; ++i) keys.emplace_back(*source.next()[0]);
  const std::array<uint32_t, 2> columns = {1, 11};
  size_t at = 0;
  double before = cpu_seconds();
  for (auto _ : state) {
    std::string_view key = keys[at++ % keys.size()];
    auto read = from.store->read(from.table, columns, {&key, 1});
    MR_CHECK(read.has_value() && *read->next());
  }
  report(state, 1, cpu_seconds() - before);
}
BENCHMARK(store_point_read);

void store_open(benchmark::State& state) {
  Folder folder;
  {
    auto store = open(folder);
    ingest(*store, *store->create_table(users()), kScanRows);
  }
  for (auto _ : state) {
    auto store = open(folder);
    benchmark::DoNotOptimize(store);
    state.PauseTiming();
    store.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(store_open)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(20);

void rocksdb_scan(benchmark::State& state) {
  Folder folder;
  std::filesystem::create_directories(folder.path());
  rocksdb::DB* opened = nullptr;
  MR_CHECK(rocksdb::DB::Open(database_options(machine_clock()), folder.path(), &opened).ok());
  std::unique_ptr<rocksdb::DB> db(opened);
  Rows source;
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;
  for (int64_t i = 0; i < kScanRows; ++i) {
    auto values = source.next();
    std::string value;
    for (const auto& bytes : values.subspan(1)) value += *bytes;
    value.resize(kValueBytes);
    MR_CHECK(db->Put(unlogged, to_slice(*values[0]), value).ok());
  }
  double before = cpu_seconds();
  for (auto _ : state) {
    rocksdb::ReadOptions options;
    options.fill_cache = false;
    std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator(options));
    int64_t count = 0;
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) ++count;
    MR_CHECK(count == kScanRows);
  }
  report(state, kScanRows, cpu_seconds() - before);
}
BENCHMARK(rocksdb_scan)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace millrace::store
