// store: the embedded table store. Keyspaces and tables in a catalog, rows as cells on RocksDB in
// an order that a CQL door can serve, and how far each table has read, in the same atomic write.
// docs/format/store.md has the bytes.
//
// Called by table/ and, for listings, by the doors through pipeline/. Leaves to others: SQL, what
// feeds a table, when to write.
//
// Promises:
// - commit() applies all of a Batch (rows, progress, dead letters) or none, at a crash too.
// - What is committed survives a crash once flush() or the store's own flush wrote it. Until then
//   kill -9 may take back the newest commits, always a suffix of their order: rows and progress
//   go back together, and the log writes them again. No write-ahead log is needed for that.
//   The catalog is durable when create_table() returns.
// - Cells reconcile as in CQL: per cell the highest time wins, on a tie a tombstone, then the later
//   write; a row's deletion covers what is not higher. A cell past its expiry reads as absent.
// - Rows come in key order: token of the partition key, partition key, clustering columns.
// Threads: everything from any thread, except that one Batch and one Scan belong to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "base/logger.h"
#include "io/clock.h"
#include "io/disk.h"
#include "store/progress.h"
#include "store/table.h"
#include "store/write_time.h"

namespace millrace::store {

// A value in a cell is the column type's CQL serialisation, big endian (native_protocol_v5.spec
// section 6), with one difference: TIMESTAMP and TIME are microseconds. By schema::Kind:
//   boolean 1 byte; tinyint..bigint 1/2/4/8; hugeint 16 (two's complement); float 4; double 8;
//   decimal: scale int32, then the unscaled number, 16 bytes; varchar, blob: their bytes;
//   uuid 16; date int32 days since 1970-01-01; time, timestamp int64; list: count int32, then each
//   element with its length int32 before it (-1: null); map: count, then key and value likewise;
//   struct: its fields in order likewise.
// nullopt is absent: nothing is written for that column, an older value stays.
using CellValue = std::optional<std::string_view>;

// Rows, progress and open dead letters that are written at once. Reusable after commit: its memory
// is kept.
class Batch {
 public:
  Batch();
  ~Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;

  // One upsert: values[i] belongs to definition().columns[i], copied here. `ttl_s` 0: lives for
  // ever, otherwise it counts from the timestamp, so that writing the same again changes nothing.
  // Errors, with which the Batch is unchanged: kInvalid: a key column is absent or no value of its
  // type, a DECIMAL key not of its column's scale, or an empty partition key; kLimit: a key value
  // of 64 KiB or more. Values of other columns are not looked at.
  Result<void> upsert(const Table& table, std::span<const CellValue> values, WriteTime time,
                      int32_t ttl_s = 0);
  // Deletes the row of a primary key (values of the partition key, then of the clustering columns),
  // as far as it was written with times up to this one. `forget_at_s`: seconds since 1970; after
  // it an older write that arrives late is seen again.
  // Errors, with which the Batch is unchanged: as of upsert().
  Result<void> erase(const Table& table, std::span<const std::string_view> key, WriteTime time,
                     int64_t forget_at_s);
  void set_progress(const Table& table, std::string_view topic, PartitionId partition,
                    const Progress& progress);
  // Marks the dead letter at `offset` of its topic as open, or takes the mark away: it is counted
  // in the progress of (table, topic, partition), and nowhere else.
  void open_dead_letter(const Table& table, std::string_view topic, PartitionId partition,
                        Offset offset);
  void close_dead_letter(const Table& table, std::string_view topic, PartitionId partition,
                         Offset offset);
  size_t row_count() const;
  size_t size_bytes() const;
  void clear();

 private:
  friend class Store;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A part of the token ring: (after, up_to], both int64 as Murmur3Partitioner's. {min, max} is all.
struct TokenRange {
  int64_t after = INT64_MIN;
  int64_t up_to = INT64_MAX;
};

// Rows of one table in key order, as of the moment the scan began. Every table row that is live
// comes exactly once.
class Scan {
 public:
  ~Scan();
  Scan(Scan&&) noexcept;

  // Goes to the next row; false at the end. Errors: kCorrupt, kIo.
  Result<bool> next();
  // The row's value of the i-th column asked for; valid until the next call of next().
  CellValue value(size_t i) const;

 private:
  friend class Store;
  struct Impl;
  explicit Scan(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Store {
 public:
  struct Options {
    bool read_only = false;
    io::Clock* clock = nullptr;           // that expiries are compared with; nullptr: the machine's
    bool write_each_commit = false;       // before the next one, as a full memtable is: for tests
    io::Disk* disk = &io::system_disk();  // outlives the store
  };
  // Opens or makes the store in folder `path`, which becomes its owner's alone (0700); `logger`
  // has to outlive it. To be read only, no process may have it open for writing.
  // Errors: kConflict (in use), kNotFound (read_only: no store there), kUnsupported (written by
  // another version), kCorrupt, kIo. A store opened read only answers writes with kUnsupported.
  static Result<std::unique_ptr<Store>> open(const std::string& path, Logger& logger,
                                             Options options);
  ~Store();

  std::vector<TablePtr> tables() const;  // by full name
  TablePtr find_table(std::string_view keyspace, std::string_view name) const;
  // Makes the keyspace too where there is none. Errors: kConflict (exists), kInvalid (names: 1 to
  // 48 of [a-zA-Z0-9_], first a letter; no such key column; a LIST, MAP or STRUCT as a key).
  Result<TablePtr> create_table(TableDefinition definition);
  // Replaces metadata and adds columns at the end; any other difference is kConflict, with words
  // for what differs ("column 'email' was VARCHAR, the pipeline file says BIGINT").
  Result<TablePtr> alter_table(const Table& table, TableDefinition definition);
  Result<void> check_table(const TableDefinition& definition) const;  // whether those would do it

  // Removes all rows of a table, its progress and its open dead letters: durably, all or none.
  Result<void> clear_table(const Table& table);

  Result<void> commit(Batch& batch);  // clears it; with an error it stays, to be tried again
  Result<void> flush();               // what was committed before is on disk when it returns

  // Progress of (table, topic, partition); nullopt if none was committed.
  Result<std::optional<Progress>> progress(const Table& table, std::string_view topic,
                                           PartitionId partition) const;
  // The first `limit` dead letters at or after `from` that are marked as open, ascending.
  Result<std::vector<Offset>> open_dead_letters(const Table& table, std::string_view topic,
                                                PartitionId partition, Offset from,
                                                size_t limit) const;

  // `columns`: positions in definition().columns that value(i) will be asked for; none for
  // counting, which reads no values.
  Result<Scan> scan(TablePtr table, std::span<const uint32_t> columns, TokenRange range = {}) const;
  // The rows of one primary key or of a prefix of it that has the whole partition key: `key` holds
  // the values of partition key and then clustering columns.
  Result<Scan> read(TablePtr table, std::span<const uint32_t> columns,
                    std::span<const std::string_view> key) const;

  // Reads all files and checks all checksums. Errors: kCorrupt (which file, and where), kIo.
  Result<void> verify() const;

  // About how many bytes a table has (RocksDB's estimate), for listings.
  struct Size {
    uint64_t bytes = 0;
  };
  Size approximate_size(const Table& table) const;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::store
