#include "store/rocks.h"

#include <rocksdb/filter_policy.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include "base/limits.h"

namespace millrace::store {
namespace {

std::shared_ptr<rocksdb::TableFactory> table_factory() {
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.block_size = size_t{16} << 10;
  table.block_cache = rocksdb::NewLRUCache(limits::kBlockCacheBytes, 2);
  // Indexes and filters grow with the data; in the cache, and in parts, they stay in its limit.
  table.cache_index_and_filter_blocks = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.partition_filters = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

// RocksDB's own log tells nothing that its answers do not, and the names of its files have the time
// in them.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

Error to_error(const rocksdb::Status& status, std::string_view doing) {
  auto code = status.IsCorruption()     ? ErrorCode::kCorrupt
              : status.IsNotFound()     ? ErrorCode::kNotFound
              : status.IsNotSupported() ? ErrorCode::kUnsupported
                                        : ErrorCode::kIo;
  std::string_view hint = status.IsCorruption() ? "; 'millrace doctor' says what can be mended"
                          : status.IsNoSpace()  ? "; make room on that disk"
                                                : "";
  return {code, fmt::format("{}: {}{}", doing, status.ToString(), hint)};
}

rocksdb::Options database_options(io::Clock& clock) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.merge_operator = make_row_merger(clock);
  options.table_factory = table_factory();

  options.write_buffer_size = limits::kMemtableBytes;
  options.max_write_buffer_number = 2;  // a third costs memory and saves no CPU time
  options.compaction_style = rocksdb::kCompactionStyleUniversal;
  options.compression = rocksdb::kNoCompression;
  options.max_background_jobs = 2;
  // A batch comes sorted, so each key is found from the last one's place in the memtable.
  options.allow_concurrent_memtable_write = false;
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(4));

  // Opening reads no more than it must.
  options.skip_stats_update_on_db_open = true;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  options.max_open_files = 256;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;

  options.info_log_level = rocksdb::WARN_LEVEL;
  options.max_log_file_size = size_t{1} << 20;
  options.keep_log_file_num = 2;
  return options;
}

void use_disk(DiskEnv& env, rocksdb::Options& options) {
  options.env = &env;
  options.max_file_opening_threads = 1;
  options.info_log = std::make_shared<NoLog>();
  options.db_host_id = "";
  options.avoid_flush_during_shutdown = true;  // the store does it before
}

void write_each_commit(rocksdb::Options& options) {
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(1);
}

}  // namespace millrace::store
