#include "sql/engine.h"

#include <dlfcn.h>
#include <duckdb.h>
#include <fmt/format.h>

#include <array>
#include <string>

namespace millrace::sql {

Result<std::unique_ptr<Engine>> Engine::open(Options options) {
  duckdb_config config = nullptr;
  duckdb_create_config(&config);
  const std::array<std::pair<const char*, std::string>, 8> settings = {{
      {"threads", fmt::format("{}", options.threads)},
      {"memory_limit", fmt::format("{}MiB", options.memory_bytes >> 20)},
      {"enable_external_access", "false"},
      {"autoinstall_known_extensions", "false"},
      {"autoload_known_extensions", "false"},
      {"allow_community_extensions", "false"},
      {"preserve_insertion_order", options.threads == 1 ? "true" : "false"},
      {"lock_configuration", "true"},
  }};
  for (const auto& [name, value] : settings) duckdb_set_config(config, name, value.c_str());

  std::unique_ptr<Engine> engine(new Engine);
  char* error = nullptr;
  duckdb_database database = nullptr;
  bool failed = duckdb_open_ext(nullptr, &database, config, &error) == DuckDBError;
  duckdb_destroy_config(&config);
  engine->database_ = database;
  if (failed) {
    std::string text = error == nullptr ? "no reason given" : error;
    duckdb_free(error);
    return fail(ErrorCode::kIo, "cannot start DuckDB: {}", text);
  }
  return engine;
}

Engine::~Engine() {
  auto database = static_cast<duckdb_database>(database_);
  if (database != nullptr) duckdb_close(&database);
}

Library duckdb_library() {
  Library library{.version = duckdb_library_version(), .path = ""};
  Dl_info found;
  if (dladdr(reinterpret_cast<void*>(&duckdb_library_version), &found) != 0)
    library.path = found.dli_fname;
  return library;
}

}  // namespace millrace::sql
