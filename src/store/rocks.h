// How this store sets up RocksDB: its options, and the two hooks that know rows.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <memory>
#include <string_view>

#include "base/error.h"
#include "io/clock.h"
#include "store/disk_env.h"

namespace millrace::store {

inline rocksdb::Slice to_slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
inline std::string_view to_view(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// `status` as an error: "DOING: what RocksDB says".
Error to_error(const rocksdb::Status& status, std::string_view doing);
inline Result<void> check(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  return std::unexpected(to_error(status, doing));
}

// Every row is written as a merge operand; where a key has several, this makes them one row.
// The clock outlives what it is given to, as below.
std::shared_ptr<rocksdb::MergeOperator> make_row_merger(io::Clock& clock);
// Drops expired cells, and rows in which nothing is left, at compaction.
std::shared_ptr<rocksdb::CompactionFilter> make_expiry_filter(io::Clock& clock);

rocksdb::Options database_options(io::Clock& clock);
// For a disk that is not the machine's.
void use_disk(DiskEnv& env, rocksdb::Options& options);
void write_each_commit(rocksdb::Options& options);

// Seconds since 1970, which expiries are compared with.
inline int64_t seconds(io::Clock& clock) {
  return clock.now_micros() / 1'000'000;
}

}  // namespace millrace::store
