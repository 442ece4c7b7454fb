#include "store/scan.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "store/key.h"
#include "store/rocks.h"

namespace millrace::store {

RowReader::RowReader(TablePtr table, std::span<const uint32_t> columns, int64_t now_s)
    : table_(std::move(table)), now_s_(now_s) {
  slot_of_.assign(table_->definition().columns.size(), kNoSlot);
  for (uint32_t column : columns) {
    MR_CHECK(column < slot_of_.size());
    if (slot_of_[column] == kNoSlot) {
      slot_of_[column] = static_cast<uint32_t>(values_.size());
      values_.emplace_back();
      if (!table_->is_key(column)) reads_cells_ = true;
    }
    slots_.push_back(slot_of_[column]);
  }
  size_t component = 0;
  for (const auto* key : {&table_->partition_key(), &table_->clustering_key()})
    for (uint32_t column : *key)
      if (++component; slot_of_[column] != kNoSlot) key_components_ = component;
}

Result<bool> RowReader::read(std::string_view key, std::string_view row) {
  std::ranges::fill(values_, std::nullopt);
  bool plain = !row.empty() && row[0] == kPlainRow;
  if (reads_cells_ || !plain) {
    if (!MR_TRY(read_cells(key, row))) return false;
  }
  if (key_components_ != 0 && !read_key(key)) return corrupt("key", key);
  return true;
}

Result<bool> RowReader::read_cells(std::string_view key, std::string_view row) {
  if (!row.empty() && row[0] == kPlainRow) {
    bool good = for_plain_cells(
        row, [this](uint64_t column, std::string_view bytes) { set(column, bytes); });
    if (!good) return corrupt("row", key);
    return true;
  }
  if (!row_.parse(row)) return corrupt("row", key);
  if (!row_.live(now_s_)) return false;
  for (const auto& cell : row_.cells)
    if (!cell.tombstone && cell.timing.live(now_s_)) set(cell.column, cell.bytes);
  return true;
}

bool RowReader::read_key(std::string_view key) {
  if (key.size() < kTokenEnd) return false;
  key.remove_prefix(kTokenEnd);
  key_bytes_.clear();
  key_ends_.clear();
  size_t component = 0;
  auto take = [&](const std::vector<uint32_t>& columns) {
    for (uint32_t column : columns) {
      if (component++ == key_components_) return true;
      const auto& type = table_->definition().columns[column].type;
      bool good = slot_of_[column] == kNoSlot ? skip_component(key, type)
                                              : take_component(key, type, key_bytes_);
      if (!good) return false;
      if (slot_of_[column] != kNoSlot) key_ends_.emplace_back(slot_of_[column], key_bytes_.size());
    }
    return true;
  };
  if (!take(table_->partition_key())) return false;
  if (component < key_components_) {
    if (key.empty() || key[0] != kRowKind) return false;
    key.remove_prefix(1);
    if (!take(table_->clustering_key())) return false;
  }
  size_t begin = 0;
  for (auto [slot, end] : key_ends_) {
    values_[slot] = std::string_view(key_bytes_).substr(begin, end - begin);
    begin = end;
  }
  return true;
}

std::unexpected<Error> RowReader::corrupt(std::string_view what, std::string_view key) const {
  std::string hex;
  for (char c : key.substr(0, 64))
    hex += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return fail(ErrorCode::kCorrupt, "table {}: the {} at key {} is not as this version writes it",
              table_->definition().full_name(), what, hex);
}

Result<bool> Scan::Impl::next() {
  if (iterator == nullptr) {
    if (!single || positioned) return false;
    positioned = true;
    return reader.read(lower, to_view(*single));
  }
  for (;;) {
    if (positioned) {
      if (!iterator->Valid()) return false;
      iterator->Next();
    } else {
      iterator->Seek(lower);
      positioned = true;
    }
    if (!iterator->Valid()) break;
    if (MR_TRY(reader.read(to_view(iterator->key()), to_view(iterator->value())))) return true;
  }
  if (!iterator->status().ok())
    return std::unexpected(
        to_error(iterator->status(),
                 fmt::format("reading table {}", reader.table().definition().full_name())));
  return false;
}

Scan::Scan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Scan::~Scan() = default;
Scan::Scan(Scan&&) noexcept = default;

Result<bool> Scan::next() {
  return impl_->next();
}
CellValue Scan::value(size_t i) const {
  return impl_->reader.value(i);
}

}  // namespace millrace::store
