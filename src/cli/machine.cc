#include "cli/machine.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "io/io.h"
#include "sql/engine.h"

namespace millrace::cli {
namespace {

using pipeline::Finding;
using pipeline::Verdict;

// Below these a warning is due.
constexpr uint64_t kMemoryBytes = limits::kQueryMemoryBytes;
constexpr uint64_t kFreeBytes = uint64_t{1} << 30;
constexpr rlim_t kOpenFiles = 4'096;
constexpr int64_t kSyncMicros = 20'000;
// 2026-01-01: no clock that is right shows an earlier time to this program.
constexpr int64_t kEarliestMicros = int64_t{1'767'225'600} * 1'000'000;

constexpr size_t kSyncs = 9;
constexpr size_t kProcFileBytesMax = size_t{16} << 20;

Finding about(std::string subject, Verdict verdict, std::string text) {
  return {.part = "machine",
          .subject = std::move(subject),
          .verdict = verdict,
          .text = std::move(text),
          .mends = {}};
}

// What stands behind "NAME : " in a file of /proc; empty: nothing.
std::string value_in(const std::string& path, std::string_view name) {
  auto text = io::read_file(path, kProcFileBytesMax).value_or("");
  auto line = std::string_view(text);
  while (!line.empty() && !line.starts_with(name))
    line.remove_prefix(std::min(line.size(), line.find('\n') + 1));
  line = line.substr(0, line.find('\n'));
  auto colon = line.find(':');
  if (colon == line.npos) return "";
  line.remove_prefix(colon + 1);
  line.remove_prefix(std::min(line.size(), line.find_first_not_of(" \t")));
  return std::string(line);
}

Finding processor() {
  auto model = value_in("/proc/cpuinfo", "model name");
  auto cores = std::max(1U, std::thread::hardware_concurrency());
  // main() has seen to it that it is there.
  return about("processor", Verdict::kOk,
               fmt::format("{}, with AVX2, {} core{}", model.empty() ? "x86-64" : model, cores,
                           cores == 1 ? "" : "s"));
}

Finding memory() {
  struct sysinfo info{};
  if (sysinfo(&info) != 0)
    return about("memory", Verdict::kWarning, "unknown: " + errno_text(errno));
  uint64_t free = uint64_t{info.freeram} * info.mem_unit;
  auto available = value_in("/proc/meminfo", "MemAvailable");  // "123456 kB"
  if (!available.empty()) free = std::strtoull(available.c_str(), nullptr, 10) << 10;
  auto text =
      fmt::format("{}, {} of it available", format_bytes(uint64_t{info.totalram} * info.mem_unit),
                  format_bytes(free));
  if (free >= kMemoryBytes) return about("memory", Verdict::kOk, text);
  return about("memory", Verdict::kWarning,
               fmt::format("{}: a query may take {}", text, format_bytes(kMemoryBytes)));
}

Finding open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return about("open files", Verdict::kWarning, "unknown: " + errno_text(errno));
  auto text = fmt::format("at most {}", with_thousands(static_cast<int64_t>(limit.rlim_cur)));
  if (limit.rlim_cur >= kOpenFiles) return about("open files", Verdict::kOk, text);
  return about("open files", Verdict::kWarning,
               fmt::format("{}: each segment of a topic is one, so raise it (ulimit -n, or "
                           "LimitNOFILE= in a systemd unit)",
                           text));
}

Finding clock() {
  auto now = io::SystemClock().now_micros();
  auto text = format_timestamp(now / 1'000'000 * 1'000'000);
  if (now >= kEarliestMicros) return about("clock", Verdict::kOk, text);
  return about("clock", Verdict::kError,
               fmt::format("{}: that is past, and records get their timestamps from it", text));
}

Finding disk_room(const std::string& folder) {
  struct statvfs found{};
  if (statvfs(folder.c_str(), &found) != 0)
    return about("disk", Verdict::kError, fmt::format("{}: {}", folder, errno_text(errno)));
  uint64_t free = uint64_t{found.f_bavail} * found.f_frsize;
  auto text = fmt::format("{} of {} free", format_bytes(free),
                          format_bytes(uint64_t{found.f_blocks} * found.f_frsize));
  if (free < limits::kSegmentBytes)
    return about("disk", Verdict::kError,
                 fmt::format("{}: a partition's next segment takes {}", text,
                             format_bytes(limits::kSegmentBytes)));
  return about("disk", free < kFreeBytes ? Verdict::kWarning : Verdict::kOk, text);
}

// The median of several.
Result<int64_t> sync_micros(const std::string& folder) {
  auto path = fmt::format("{}/doctor.{}.tmp", folder, ::getpid());
  auto measure = [&]() -> Result<int64_t> {
    auto file = MR_TRY(io::system_disk().open(path, io::File::Mode::kCreate));
    const std::string block(size_t{4} << 10, 'x');
    std::array<int64_t, kSyncs> micros{};
    io::SystemClock clock;
    for (size_t i = 0; i < kSyncs; ++i) {
      MR_TRY(file.write_at(i * block.size(), block));
      auto began = clock.monotonic_micros();
      MR_TRY(file.sync_data());
      micros[i] = clock.monotonic_micros() - began;
    }
    std::ranges::sort(micros);
    return micros[kSyncs / 2];
  };
  auto measured = measure();
  (void)io::system_disk().remove_file(path);
  return measured;
}

Finding sync_time(const std::string& folder) {
  auto micros = sync_micros(folder);
  if (!micros) return about("fdatasync", Verdict::kError, micros.error().message());
  auto text = fmt::format("{:.2f} ms", static_cast<double>(*micros) / 1e3);
  if (*micros <= kSyncMicros) return about("fdatasync", Verdict::kOk, text);
  return about("fdatasync", Verdict::kWarning,
               text + ": each page waits for one, so this disk makes all slow");
}

Finding versions(std::string_view version) {
  auto duckdb = sql::duckdb_library();
  return about("versions", Verdict::kOk,
               fmt::format("millrace {}; DuckDB {} from {}", version, duckdb.version, duckdb.path));
}

// The folder itself, or the nearest above it that is there.
std::string nearest_folder(const std::string& path) {
  std::error_code error;
  auto folder = std::filesystem::absolute(path, error);
  while (!std::filesystem::is_directory(folder, error) && folder.has_relative_path())
    folder = folder.parent_path();
  return folder.string();
}

}  // namespace

std::vector<Finding> examine_machine(const std::string& data_dir, std::string_view version) {
  auto folder = nearest_folder(data_dir);
  return {versions(version), processor(),       memory(),         open_files(),
          clock(),           disk_room(folder), sync_time(folder)};
}

Finding examine_folder(const std::string& data_dir) {
  Finding finding{.part = "data directory",
                  .subject = "folder",
                  .verdict = Verdict::kOk,
                  .text = data_dir,
                  .mends = {}};
  struct stat found{};
  if (::stat(data_dir.c_str(), &found) != 0) {
    finding.verdict = Verdict::kError;
    finding.text = fmt::format("{}: {}", data_dir, errno_text(errno));
    return finding;
  }
  constexpr mode_t kOthers = 077;
  if ((found.st_mode & kOthers) != 0) {
    finding.verdict = Verdict::kWarning;
    finding.text =
        fmt::format("{} has mode {:04o}: others may look into it", data_dir, found.st_mode & 07777);
    finding.mends.push_back({fmt::format("chmod 700 '{}'", data_dir), "keeps them out"});
  }
  if (::access(data_dir.c_str(), R_OK | W_OK | X_OK) != 0) {
    auto why = errno_text(errno);
    finding.verdict = Verdict::kError;
    finding.text =
        fmt::format("{} belongs to user {} and has mode {:04o}; user {} cannot use it: {}",
                    data_dir, found.st_uid, found.st_mode & 07777, ::geteuid(), why);
    finding.mends = {{"", "run millrace as the user whose it is, or give it to this one (chown)"}};
  }
  return finding;
}

}  // namespace millrace::cli
