// From a topic into a table: how fast a backlog is taken, and how soon a record that was appended
// can be read from the table while a steady stream comes in.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/base.h"
#include "io/io.h"
#include "pipeline/pipeline.h"
#include "record/record.h"

namespace millrace::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUser =
    R"({{"id":"{0}","first_name":"Erin{1}","last_name":"Wood","gender":"female",)"
    R"("address":"{1} Pearse Street, Bandon, Galway, Ireland","post_code":"67757",)"
    R"("email":"erin.wood{1}@example.com","username":"purplepeacock{1}",)"
    R"("dob":"1988-06-28T19:49:18.816Z","registered_date":"2004-05-27T15:08:15.346Z",)"
    R"("phone":"011-600-1805","picture":"https://randomuser.me/api/portraits/med/women/48.jpg"}})";

constexpr const char* kPipeline = R"(name: bench
sources: {}
topics:
  users_created: {key: id, schema: user.schema.json}
tables:
  spark_streams.created_users:
    primary_key: id
    from: SELECT * FROM users_created
    expect:
      has_email: email LIKE '%_@_%'
)";

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_mib() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// A data directory with a topic of users, and a table that may be fed from it.
class Bench {
 public:
  Bench()
      : folder_(fs::temp_directory_path() / fmt::format("bench_{}", to_string(random_uuid()))),
        logger_(LogFormat::kText, LogLevel::kWarning) {
    fs::create_directories(folder_);
    std::string properties;
    for (const char* name : {"first_name", "last_name", "gender", "address", "post_code", "email",
                             "username", "dob", "registered_date", "phone", "picture"})
      properties += fmt::format(R"(,"{}":{{"type":"string"}})", name);
    std::ofstream(folder_ / "user.schema.json")
        << R"({"type":"object","properties":{"id":{"type":"string","format":"uuid"})" << properties
        << "}}";
    std::ofstream(folder_ / "p.yaml") << kPipeline;
    instance_ = *Instance::open({.data_dir = (folder_ / "data").string()}, logger_, clock_);
    auto loaded = *spec::load((folder_ / "p.yaml").string(), spec::process_variables());
    for (const auto& problem : loaded.problems)
      std::fprintf(stderr, "%s\n", problem.message.c_str());
    pipeline_ = std::move(loaded.pipeline);
  }
  ~Bench() {
    instance_.reset();
    fs::remove_all(folder_);
  }

  void start(bool once) {
    auto started = instance_->start(pipeline_, once);
    if (!started) std::fprintf(stderr, "%s\n", started.error().message().c_str());
  }

  // Makes the topic, as a first start does, then stops again.
  void make_topic() {
    start(true);
    (void)instance_->wait_until_finished({});
    instance_.reset();
    instance_ = *Instance::open({.data_dir = (folder_ / "data").string()}, logger_, clock_);
  }

  // Appends users numbered from `first`; the last one's id.
  Uuid append(int64_t first, int count) {
    builder_.clear();
    Uuid id;
    for (int64_t i = first; i < first + count; ++i) {
      id = random_uuid();
      std::string key = to_string(id);
      builder_.append(clock_.now_micros() / 1'000, key, fmt::format(fmt::runtime(kUser), key, i));
    }
    auto* topic = instance_->log().find_topic("users_created");
    if (!topic->partition(PartitionId(0)).append(builder_.finish())) std::abort();
    return id;
  }

  bool is_visible(const Uuid& id) {
    auto table = instance_->store().find_table("spark_streams", "created_users");
    std::string_view key(reinterpret_cast<const char*>(id.bytes.data()), 16);
    auto scan = instance_->store().read(table, {}, std::span(&key, 1));
    return scan && *scan->next();
  }

  Instance& instance() { return *instance_; }

 private:
  fs::path folder_;
  Logger logger_;
  io::SystemClock clock_;
  std::unique_ptr<Instance> instance_;
  spec::Pipeline pipeline_;
  record::BatchBuilder builder_;
};

void topic_to_table(benchmark::State& state) {
  Bench bench;
  bench.make_topic();
  for (int64_t i = 0; i < state.range(0); i += 1'000) bench.append(i, 1'000);
  for (auto _ : state) {
    double cpu = cpu_seconds();
    auto begin = std::chrono::steady_clock::now();
    bench.start(true);
    if (!bench.instance().wait_until_finished({})) state.SkipWithError("the table loop failed");
    auto end = std::chrono::steady_clock::now();
    // Flushing what is in memory is part of the work.
    if (!bench.instance().stop()) state.SkipWithError("flush failed");
    state.SetIterationTime(std::chrono::duration<double>(end - begin).count());
    state.counters["cpu_s_per_million"] =
        (cpu_seconds() - cpu) * 1e6 / static_cast<double>(state.range(0));
    auto status = bench.instance().status();
    if (status.tables[0].written != state.range(0)) state.SkipWithError("not all were written");
  }
  state.counters["resident_mib"] = resident_mib();
  state.SetItemsProcessed(state.range(0));
}
BENCHMARK(topic_to_table)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Iterations(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// Ten records every ten milliseconds; how long until the last of the ten can be read.
void append_to_visible(benchmark::State& state) {
  Bench bench;
  bench.start(false);
  std::vector<double> latencies_ms;
  double cpu = cpu_seconds();
  auto next = std::chrono::steady_clock::now();
  for (auto _ : state) {
    next += std::chrono::milliseconds(10);
    std::this_thread::sleep_until(next);
    auto begin = std::chrono::steady_clock::now();
    Uuid last = bench.append(state.iterations() * 10, 10);
    while (!bench.is_visible(last)) std::this_thread::sleep_for(std::chrono::microseconds(20));
    std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    latencies_ms.push_back(took.count());
  }
  std::ranges::sort(latencies_ms);
  auto quantile = [&](double q) {
    return latencies_ms[static_cast<size_t>(q * static_cast<double>(latencies_ms.size() - 1))];
  };
  state.counters["p50_ms"] = quantile(0.5);
  state.counters["p99_ms"] = quantile(0.99);
  state.counters["max_ms"] = latencies_ms.back();
  state.counters["resident_mib"] = resident_mib();
  state.counters["cpu_share"] =
      (cpu_seconds() - cpu) / (static_cast<double>(state.iterations()) * 0.01);
}
BENCHMARK(append_to_visible)->Iterations(200)->Unit(benchmark::kMillisecond);
BENCHMARK(append_to_visible)->Iterations(2'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace millrace::pipeline
