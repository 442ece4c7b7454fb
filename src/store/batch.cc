#include "store/batch.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "store/catalog.h"
#include "store/key.h"
#include "store/row.h"

namespace millrace::store {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

Timing timing_of(WriteTime time, int32_t ttl_s) {
  Timing timing{.written = time, .expiry_s = kNever};
  if (ttl_s > 0) timing.expiry_s = time.timestamp_us / kMicrosPerSecond + ttl_s;
  return timing;
}

Result<void> gather_key(std::vector<std::string_view>& to, const Table& table,
                        std::span<const CellValue> values) {
  to.clear();
  for (const auto* key : {&table.partition_key(), &table.clustering_key()}) {
    for (uint32_t column : *key) {
      if (!values[column])
        return fail(ErrorCode::kInvalid, "key column '{}' of {} is absent",
                    table.definition().columns[column].name, table.definition().full_name());
      to.push_back(*values[column]);
    }
  }
  return {};
}

}  // namespace

void Batch::Impl::add(TableId table, size_t begin, size_t key_end) {
  entries.push_back({.token = load_be<uint64_t>(arena.data() + begin + 4),
                     .table = table.value,
                     .index = static_cast<uint32_t>(places.size())});
  places.push_back({.key_size = static_cast<uint32_t>(key_end - begin),
                    .value_size = static_cast<uint32_t>(arena.size() - key_end),
                    .offset = begin});
}

void Batch::Impl::write_to(rocksdb::WriteBatch& to) {
  std::ranges::sort(entries, [this](const Entry& a, const Entry& b) {
    if (a.table != b.table) return a.table < b.table;
    if (a.token != b.token) return a.token < b.token;
    int order = key(a.index).compare(key(b.index));
    return order != 0 ? order < 0 : a.index < b.index;
  });
  to.Clear();
  for (const auto& entry : entries) {
    auto row_key = key(entry.index);
    auto row_value = value(entry.index);
    to.Merge({row_key.data(), row_key.size()}, {row_value.data(), row_value.size()})
        .PermitUncheckedError();
  }
  for (const auto& [other_key, other_value] : put)
    to.Put(other_key, other_value).PermitUncheckedError();
  for (const auto& other_key : removed) to.Delete(other_key).PermitUncheckedError();
}

Batch::Batch() : impl_(std::make_unique<Impl>()) {}
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

Result<void> Batch::upsert(const Table& table, std::span<const CellValue> values, WriteTime time,
                           int32_t ttl_s) {
  MR_CHECK(values.size() == table.definition().columns.size());
  auto& arena = impl_->arena;
  const size_t begin = arena.size();
  MR_TRY(gather_key(impl_->key_values, table, values));
  auto appended = append_key(arena, table, impl_->key_values, impl_->scratch);
  if (!appended) {
    arena.resize(begin);
    return appended;
  }
  const size_t key_end = arena.size();
  append_upsert_header(arena, timing_of(time, ttl_s));
  for (uint32_t column = 0; column < values.size(); ++column)
    if (values[column] && !table.is_key(column)) append_cell(arena, column, *values[column]);
  impl_->add(table.id(), begin, key_end);
  return {};
}

Result<void> Batch::erase(const Table& table, std::span<const std::string_view> key, WriteTime time,
                          int64_t forget_at_s) {
  MR_CHECK(key.size() == table.partition_key().size() + table.clustering_key().size());
  auto& arena = impl_->arena;
  const size_t begin = arena.size();
  auto appended = append_key(arena, table, key, impl_->scratch);
  if (!appended) {
    arena.resize(begin);
    return appended;
  }
  const size_t key_end = arena.size();
  Row row;
  row.deletion = Timing{.written = time, .expiry_s = forget_at_s};
  row.append_to(arena);
  impl_->add(table.id(), begin, key_end);
  return {};
}

void Batch::set_progress(const Table& table, std::string_view topic, PartitionId partition,
                         const Progress& progress) {
  std::string key;
  append_progress_key(key, table.id(), topic, partition);
  impl_->put.emplace_back(std::move(key), encode_progress(progress));
}

void Batch::open_dead_letter(const Table& table, std::string_view topic, PartitionId partition,
                             Offset offset) {
  impl_->put.emplace_back(dead_letter_key(table.id(), topic, partition, offset), "");
}

void Batch::close_dead_letter(const Table& table, std::string_view topic, PartitionId partition,
                              Offset offset) {
  impl_->removed.push_back(dead_letter_key(table.id(), topic, partition, offset));
}

size_t Batch::row_count() const {
  return impl_->places.size();
}
size_t Batch::size_bytes() const {
  return impl_->arena.size();
}

void Batch::clear() {
  impl_->arena.clear();
  impl_->entries.clear();
  impl_->places.clear();
  impl_->put.clear();
  impl_->removed.clear();
  impl_->out.Clear();
}

}  // namespace millrace::store
