#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "base/bytes.h"
#include "base/check.h"
#include "store/batch.h"
#include "store/catalog.h"
#include "store/key.h"
#include "store/rocks.h"
#include "store/scan.h"

namespace millrace::store {
namespace {

rocksdb::WriteOptions unlogged() {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return options;
}

std::vector<uint32_t> positions(const TableDefinition& definition,
                                const std::vector<std::string>& names) {
  std::vector<uint32_t> found;
  for (const auto& name : names) {
    auto column = std::ranges::find(definition.columns, name, &schema::Field::name);
    MR_CHECK(column != definition.columns.end());
    found.push_back(static_cast<uint32_t>(column - definition.columns.begin()));
  }
  return found;
}

// Whether a process has the store open for writing: RocksDB locks this file then.
bool in_use(const std::string& path) {
  int file = ::open((path + "/LOCK").c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  bool held = ::fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(file);
  return held;
}

// RocksDB makes its files readable by all (0644): the folder has to keep others out.
Result<void> make_folder(io::Disk& disk, const std::string& path) {
  if (&disk != &io::system_disk()) return disk.make_directories(path);
  std::error_code error;
  auto parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error)
    return fail(ErrorCode::kIo, "cannot make folder {}: {}", parent.string(), error.message());
  if (::mkdir(path.c_str(), 0700) != 0 && (errno != EEXIST || ::chmod(path.c_str(), 0700) != 0))
    return fail(ErrorCode::kIo, "cannot make folder {}: {}", path, errno_text(errno));
  return {};
}

}  // namespace

Table::Table(TableId id, TableDefinition definition)
    : id_(id),
      definition_(std::move(definition)),
      partition_key_(positions(definition_, definition_.partition_key)),
      clustering_key_(positions(definition_, definition_.clustering_key)),
      is_key_(definition_.columns.size(), false) {
  for (const auto* key : {&partition_key_, &clustering_key_})
    for (uint32_t column : *key) is_key_[column] = true;
}

class Store::Impl {
 public:
  Impl(std::string path, Logger& logger, Options options)
      : path_(std::move(path)),
        logger_(logger),
        options_(options),
        clock_(options.clock != nullptr ? *options.clock : own_clock_),
        expiry_filter_(make_expiry_filter(clock_)) {
    if (options.disk != &io::system_disk()) disk_env_.emplace(*options.disk);
  }
  ~Impl();

  Result<void> open();
  std::vector<TablePtr> tables() const;
  TablePtr find_table(std::string_view full_name) const;
  Result<TablePtr> create_table(TableDefinition definition);
  Result<TablePtr> alter_table(const Table& table, TableDefinition definition);
  Result<void> commit(Batch::Impl& batch);
  Result<void> clear_table(TableId table);
  Result<void> flush();
  rocksdb::DB& db() const { return *db_; }
  int64_t now_s() const { return seconds(clock_); }

 private:
  Result<void> open_database();
  Result<void> begin_catalog();
  Result<void> load_catalog();
  Result<void> write_durably(rocksdb::WriteBatch& batch, std::string_view doing);
  Result<void> check_writable() const;
  void wait_until_idle();

  std::string path_;
  Logger& logger_;
  const Options options_;
  io::SystemClock own_clock_;
  io::Clock& clock_;
  std::optional<DiskEnv> disk_env_;  // for a disk that is not the machine's
  std::shared_ptr<rocksdb::CompactionFilter> expiry_filter_;  // RocksDB has a bare pointer to it
  std::unique_ptr<rocksdb::DB> db_;
  std::mutex change_;  // held while the catalog changes
  mutable std::shared_mutex lock_;
  std::map<std::string, TablePtr, std::less<>> tables_;
  uint32_t next_id_ = 1;  // under change_
};

Store::Impl::~Impl() {
  if (db_ == nullptr || options_.read_only) return;
  auto flushed = flush();
  auto status = flushed ? db_->Close() : rocksdb::Status::OK();
  if (!flushed) {
    logger_.error("closing the store", {{"error", flushed.error().message()}});
  } else if (!status.ok()) {
    logger_.error("closing the store", {{"error", status.ToString()}});
  }
}

Result<void> Store::Impl::open() {
  MR_TRY(open_database());
  std::string format;
  auto status = db_->Get(rocksdb::ReadOptions(), to_slice(kFormatKey), &format);
  if (status.IsNotFound() && !options_.read_only) return begin_catalog();
  if (status.IsNotFound())
    return fail(ErrorCode::kCorrupt, "{} is no store of millrace's, or was never flushed", path_);
  MR_TRY(check(status, fmt::format("reading the store {}", path_)));
  if (format != std::to_string(kFormat))
    return fail(ErrorCode::kUnsupported,
                "the store {} has format {}; this version of millrace reads format {} only: use "
                "the version that wrote it",
                path_, format, kFormat);
  return load_catalog();
}

Result<void> Store::Impl::open_database() {
  auto options = database_options(clock_);
  options.compaction_filter = expiry_filter_.get();
  if (options_.write_each_commit) write_each_commit(options);
  if (disk_env_) use_disk(*disk_env_, options);
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  if (options_.read_only) {
    if (!MR_TRY(options_.disk->file_exists(path_ + "/CURRENT")))
      return fail(ErrorCode::kNotFound, "there is no store in {}", path_);
    if (!disk_env_ && in_use(path_))
      return fail(ErrorCode::kConflict, "the store {} is in use by another process", path_);
    options.create_if_missing = false;
    status = rocksdb::DB::OpenForReadOnly(options, path_, &db);
  } else {
    MR_TRY(make_folder(*options_.disk, path_));
    status = rocksdb::DB::Open(options, path_, &db);
    wait_until_idle();
    if (!status.ok() && !disk_env_ && in_use(path_))
      return fail(ErrorCode::kConflict, "the store {} is in use by another process", path_);
  }
  db_.reset(db);
  return check(status, fmt::format("opening the store {}", path_));
}

Result<void> Store::Impl::begin_catalog() {
  rocksdb::WriteBatch batch;
  batch.Put(to_slice(kFormatKey), std::to_string(kFormat)).PermitUncheckedError();
  return write_durably(batch, "beginning the catalog");
}

Result<void> Store::Impl::load_catalog() {
  std::string next;
  auto status = db_->Get(rocksdb::ReadOptions(), to_slice(kNextIdKey), &next);
  if (status.IsNotFound()) return {};
  MR_TRY(check(status, "reading the catalog"));
  if (next.size() != 4) return fail(ErrorCode::kCorrupt, "reading the catalog: a bad table id");
  next_id_ = load_be<uint32_t>(next.data());
  std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator(rocksdb::ReadOptions()));
  for (rows->Seek(to_slice(kTablePrefix)); rows->Valid(); rows->Next()) {
    auto key = to_view(rows->key());
    if (!key.starts_with(kTablePrefix) || key.size() != kTablePrefix.size() + 4) break;
    auto definition = MR_TRY(decode_definition(to_view(rows->value())));
    auto name = definition.full_name();
    TableId id(load_be<uint32_t>(key.data() + kTablePrefix.size()));
    tables_[name] = std::make_shared<Table>(id, std::move(definition));
  }
  return check(rows->status(), "reading the catalog");
}

Result<void> Store::Impl::write_durably(rocksdb::WriteBatch& batch, std::string_view doing) {
  MR_TRY(check(db_->Write(unlogged(), &batch), doing));
  return flush();
}

Result<void> Store::Impl::check_writable() const {
  if (!options_.read_only) return {};
  return fail(ErrorCode::kUnsupported, "the store {} was opened for reading only", path_);
}

// What RocksDB does in the background comes before the next call, so that a test's run repeats.
void Store::Impl::wait_until_idle() {
  if (disk_env_) disk_env_->wait_until_idle();
}

std::vector<TablePtr> Store::Impl::tables() const {
  std::shared_lock held(lock_);
  std::vector<TablePtr> all;
  for (const auto& [name, table] : tables_) all.push_back(table);
  return all;
}

TablePtr Store::Impl::find_table(std::string_view full_name) const {
  std::shared_lock held(lock_);
  auto found = tables_.find(full_name);
  return found == tables_.end() ? nullptr : found->second;
}

Result<TablePtr> Store::Impl::create_table(TableDefinition definition) {
  MR_TRY(check_writable());
  MR_TRY(validate(definition));
  std::lock_guard changing(change_);
  auto name = definition.full_name();
  if (find_table(name) != nullptr)
    return fail(ErrorCode::kConflict, "table {} exists already", name);
  auto table = std::make_shared<Table>(TableId(next_id_), std::move(definition));
  std::string next;
  append_be(next, next_id_ + 1);
  rocksdb::WriteBatch batch;
  auto encoded = MR_TRY(encode_definition(table->definition()));
  batch.Put(table_key(table->id()), encoded).PermitUncheckedError();
  batch.Put(to_slice(kNextIdKey), next).PermitUncheckedError();
  ++next_id_;  // even if the write fails: part of it may be there after the next start
  MR_TRY(write_durably(batch, fmt::format("making table {}", name)));
  std::unique_lock held(lock_);
  tables_[name] = table;
  return table;
}

Result<TablePtr> Store::Impl::alter_table(const Table& table, TableDefinition definition) {
  MR_TRY(check_writable());
  MR_TRY(validate(definition));
  std::lock_guard changing(change_);
  auto name = table.definition().full_name();
  auto now = find_table(name);
  if (now == nullptr || now->id() != table.id())
    return fail(ErrorCode::kNotFound, "there is no table {}", name);
  MR_TRY(check_change(now->definition(), definition));
  auto changed = std::make_shared<Table>(now->id(), std::move(definition));
  rocksdb::WriteBatch batch;
  auto encoded = MR_TRY(encode_definition(changed->definition()));
  batch.Put(table_key(changed->id()), encoded).PermitUncheckedError();
  MR_TRY(write_durably(batch, fmt::format("changing table {}", name)));
  std::unique_lock held(lock_);
  tables_[name] = changed;
  return changed;
}

Result<void> Store::Impl::commit(Batch::Impl& batch) {
  MR_TRY(check_writable());
  batch.write_to(batch.out);
  auto status = db_->Write(unlogged(), &batch.out);
  // After a failed flush (a full disk) RocksDB refuses writes until it is told to try again.
  if (!status.ok()) {
    wait_until_idle();
    if (db_->Resume().ok()) status = db_->Write(unlogged(), &batch.out);
  }
  wait_until_idle();
  return check(status, "writing to the store");
}

// One write that goes to disk as one file, so a crash finds all of the table or nothing of it. What
// is in memory goes before it: the range is then removed from files only.
Result<void> Store::Impl::clear_table(TableId table) {
  constexpr std::string_view kDoing = "emptying a table";
  MR_TRY(flush());
  const std::string first_row = key_of_token(table, INT64_MIN);
  const std::string last_row = key_after_table(table);
  const TableId next(table.value + 1);
  rocksdb::WriteBatch batch;
  batch.DeleteRange(first_row, last_row).PermitUncheckedError();
  batch.DeleteRange(progress_prefix(table), progress_prefix(next)).PermitUncheckedError();
  batch.DeleteRange(dead_letter_prefix(table), dead_letter_prefix(next)).PermitUncheckedError();
  MR_TRY(write_durably(batch, kDoing));
  // Gives the disk space back.
  const rocksdb::Slice first = first_row;
  const rocksdb::Slice last = last_row;
  return check(db_->CompactRange(rocksdb::CompactRangeOptions(), &first, &last), kDoing);
}

Result<void> Store::Impl::flush() {
  MR_TRY(check_writable());
  // RocksDB's answer may come before the memtables are in its MANIFEST (its issue 10089), after an
  // error of an earlier flush. Those are still counted as immutable, and the next call waits.
  rocksdb::Status status;
  uint64_t unwritten = 0;
  do {
    status = db_->Flush(rocksdb::FlushOptions());
    wait_until_idle();
  } while (status.ok() &&
           db_->GetIntProperty(rocksdb::DB::Properties::kNumImmutableMemTable, &unwritten) &&
           unwritten > 0);
  return check(status, "flushing the store");
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::string& path, Logger& logger,
                                           Options options) {
  auto impl = std::make_unique<Impl>(path, logger, options);
  MR_TRY(impl->open());
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

std::vector<TablePtr> Store::tables() const {
  return impl_->tables();
}
TablePtr Store::find_table(std::string_view keyspace, std::string_view name) const {
  return impl_->find_table(fmt::format("{}.{}", keyspace, name));
}
Result<TablePtr> Store::create_table(TableDefinition definition) {
  return impl_->create_table(std::move(definition));
}
Result<TablePtr> Store::alter_table(const Table& table, TableDefinition definition) {
  return impl_->alter_table(table, std::move(definition));
}

Result<void> Store::check_table(const TableDefinition& definition) const {
  MR_TRY(validate(definition));
  auto now = find_table(definition.keyspace, definition.name);
  return now == nullptr ? Result<void>() : check_change(now->definition(), definition);
}

Result<void> Store::commit(Batch& batch) {
  MR_TRY(impl_->commit(*batch.impl_));
  batch.clear();
  return {};
}
Result<void> Store::clear_table(const Table& table) {
  return impl_->clear_table(table.id());
}
Result<void> Store::flush() {
  return impl_->flush();
}
Result<void> Store::verify() const {
  return check(impl_->db().VerifyChecksum(), "checking the store");
}

Result<std::optional<Progress>> Store::progress(const Table& table, std::string_view topic,
                                                PartitionId partition) const {
  std::string key;
  append_progress_key(key, table.id(), topic, partition);
  std::string value;
  auto status = impl_->db().Get(rocksdb::ReadOptions(), key, &value);
  if (status.IsNotFound()) return std::nullopt;
  MR_TRY(check(status, "reading progress"));
  return MR_TRY(decode_progress(value));
}

Result<std::vector<Offset>> Store::open_dead_letters(const Table& table, std::string_view topic,
                                                     PartitionId partition, Offset from,
                                                     size_t limit) const {
  std::string lower = dead_letter_key(table.id(), topic, partition, from);
  std::string upper = dead_letter_key(table.id(), topic, partition, Offset(INT64_MAX));
  rocksdb::Slice upper_slice = upper;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper_slice;
  std::unique_ptr<rocksdb::Iterator> marks(impl_->db().NewIterator(options));
  std::vector<Offset> offsets;
  for (marks->Seek(lower); marks->Valid() && offsets.size() < limit; marks->Next()) {
    auto key = to_view(marks->key());
    offsets.emplace_back(load_be<int64_t>(key.data() + key.size() - sizeof(int64_t)));
  }
  MR_TRY(check(marks->status(), "reading dead letters"));
  return offsets;
}

Result<Scan> Store::scan(TablePtr table, std::span<const uint32_t> columns,
                         TokenRange range) const {
  TableId id = table->id();
  auto impl = std::make_unique<Scan::Impl>(std::move(table), columns, impl_->now_s());
  if (range.after >= range.up_to) return Scan(std::move(impl));
  impl->lower = key_of_token(id, range.after + 1);
  impl->upper = range.up_to == INT64_MAX ? key_after_table(id) : key_of_token(id, range.up_to + 1);
  impl->upper_slice = impl->upper;
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.iterate_upper_bound = &impl->upper_slice;
  impl->iterator.reset(impl_->db().NewIterator(options));
  return Scan(std::move(impl));
}

Result<Scan> Store::read(TablePtr table, std::span<const uint32_t> columns,
                         std::span<const std::string_view> key) const {
  auto impl = std::make_unique<Scan::Impl>(table, columns, impl_->now_s());
  std::string scratch;
  MR_TRY(append_key(impl->lower, *table, key, scratch));
  if (key.size() == table->partition_key().size() + table->clustering_key().size()) {
    impl->single.emplace();
    auto status = impl_->db().Get(rocksdb::ReadOptions(), impl_->db().DefaultColumnFamily(),
                                  impl->lower, &*impl->single);
    if (status.IsNotFound()) {
      impl->single.reset();
      return Scan(std::move(impl));
    }
    MR_TRY(check(status, fmt::format("reading table {}", table->definition().full_name())));
    return Scan(std::move(impl));
  }
  impl->upper = key_after_prefix(impl->lower);
  impl->upper_slice = impl->upper;
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &impl->upper_slice;
  impl->iterator.reset(impl_->db().NewIterator(options));
  return Scan(std::move(impl));
}

Store::Size Store::approximate_size(const Table& table) const {
  std::string lower = key_of_token(table.id(), INT64_MIN);
  std::string upper = key_after_table(table.id());
  rocksdb::Range range(lower, upper);
  rocksdb::SizeApproximationOptions options;
  options.include_memtables = true;
  options.include_files = true;
  Size size;
  auto status = impl_->db().GetApproximateSizes(options, impl_->db().DefaultColumnFamily(), &range,
                                                1, &size.bytes);
  if (!status.ok()) size.bytes = 0;
  return size;
}

}  // namespace millrace::store
