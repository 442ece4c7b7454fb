// One DuckDB instance.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"

namespace millrace::sql {

class Engine {
 public:
  struct Options {
    // Threads that one query may use; 1 runs it on the caller's thread alone.
    int threads = 1;
    size_t memory_bytes = size_t{256} << 20;
  };
  // An instance in memory that can reach no file, no network and no extension.
  static Result<std::unique_ptr<Engine>> open(Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

 private:
  friend class Connection;
  Engine() = default;
  void* database_ = nullptr;  // duckdb_database
  std::atomic<uint64_t> names_given_ = 0;
};

// The DuckDB that this process runs.
struct Library {
  std::string version;  // "v1.4.5"
  std::string path;     // of the file it was loaded from
};
Library duckdb_library();

}  // namespace millrace::sql
