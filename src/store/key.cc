#include "store/key.h"

#include <array>

#include "base/bytes.h"
#include "base/check.h"
#include "store/token.h"

namespace millrace::store {
namespace {

using schema::Kind;
using schema::Type;

// Bytes of a value's serialisation, and of its form in a key; 0: any number.
size_t fixed_size(Kind kind) {
  switch (kind) {
    case Kind::kBoolean:
    case Kind::kTinyInt:
      return 1;
    case Kind::kSmallInt:
      return 2;
    case Kind::kInteger:
    case Kind::kFloat:
    case Kind::kDate:
      return 4;
    case Kind::kBigInt:
    case Kind::kDouble:
    case Kind::kTime:
    case Kind::kTimestamp:
      return 8;
    case Kind::kHugeInt:
    case Kind::kUuid:
      return 16;
    case Kind::kDecimal:
      return 20;
    default:
      return 0;
  }
}

char flip_top_bit(char byte) {
  return static_cast<char>(byte ^ 0x80);
}

// IEEE 754: numbers below zero have their sign bit set and come in the opposite order of their
// bits, so all their bits are flipped; of the others only the sign.
void order_float(char* bytes, size_t size) {
  if ((bytes[0] & 0x80) == 0) {
    bytes[0] = flip_top_bit(bytes[0]);
    return;
  }
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(~bytes[i]);
}
void restore_float(char* bytes, size_t size) {
  if ((bytes[0] & 0x80) != 0) {
    bytes[0] = flip_top_bit(bytes[0]);
    return;
  }
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(~bytes[i]);
}

// Cassandra's order of UUIDs: by version, then version 1 by time, all others byte by byte. The
// version is the upper half of byte 6.
constexpr uint64_t kLow12 = 0xfff;
constexpr uint64_t kLow48 = (uint64_t{1} << 48) - 1;

uint64_t order_uuid(uint64_t high) {
  uint64_t version = high >> 12 & 0xf;
  if (version == 1) return high << 48 | (high >> 16 & 0xffff) << 32 | high >> 32;
  return version << 60 | high >> 16 << 12 | (high & kLow12);
}
uint64_t restore_uuid(uint64_t ordered) {
  uint64_t version = ordered >> 60;
  if (version == 1) return ordered << 32 | (ordered >> 32 & 0xffff) << 16 | ordered >> 48;
  return (ordered >> 12 & kLow48) << 16 | version << 12 | (ordered & kLow12);
}

// 00 becomes 00 ff, and the end is 00 00, so that "a" < "a\0" < "a\1" and none is another's prefix.
void append_escaped(std::string& to, std::string_view value) {
  for (;;) {
    size_t zero = value.find('\0');
    to.append(value.substr(0, zero));
    if (zero == std::string_view::npos) break;
    to.append("\0\xff", 2);
    value.remove_prefix(zero + 1);
  }
  to.append("\0\0", 2);
}

// Takes the bytes up to their end off `key`; hands each run between zeros to `run`.
template <class Run>
bool take_escaped(std::string_view& key, Run run) {
  for (;;) {
    size_t zero = key.find('\0');
    if (zero == std::string_view::npos || zero + 1 == key.size()) return false;
    char after = key[zero + 1];
    run(key.substr(0, zero));
    key.remove_prefix(zero + 2);
    if (after == '\0') return true;
    if (after != '\xff') return false;
    run(std::string_view("\0", 1));
  }
}

bool take_mark(std::string_view& key) {
  if (key.empty() || key[0] != kComponentMark) return false;
  key.remove_prefix(1);
  return true;
}

// Cassandra's serialisation of a partition key of several columns.
void append_composite(std::string& to, std::string_view value) {
  append_be(to, static_cast<uint16_t>(value.size()));
  to += value;
  to += '\0';
}

Result<int64_t> token_of(const Table& table, std::span<const std::string_view> key,
                         std::string& scratch) {
  if (table.partition_key().size() == 1) {
    if (key[0].empty())
      return fail(ErrorCode::kInvalid, "the partition key of {} is empty",
                  table.definition().full_name());
    return murmur3_token(key[0]);
  }
  scratch.clear();
  for (auto value : key.first(table.partition_key().size())) append_composite(scratch, value);
  return murmur3_token(scratch);
}

Result<void> append_column(std::string& to, const Table& table, uint32_t column,
                           std::string_view value) {
  const auto& field = table.definition().columns[column];
  to += kComponentMark;
  auto appended = append_component(to, field.type, value);
  if (appended) return {};
  return std::unexpected(std::move(appended).error().within(
      fmt::format("key column '{}' of {}", field.name, table.definition().full_name())));
}

}  // namespace

bool can_be_key(const Type& type) {
  return type.kind < Kind::kList;
}

Result<void> append_component(std::string& to, const Type& type, std::string_view value) {
  size_t size = fixed_size(type.kind);
  if (size != 0 && value.size() != size)
    return fail(ErrorCode::kInvalid, "{} bytes are no {}", value.size(), schema::to_sql(type));
  size_t begin = to.size();
  switch (type.kind) {
    case Kind::kVarchar:
    case Kind::kBlob:
      append_escaped(to, value);
      return {};
    case Kind::kBoolean:
      if (value[0] != 0 && value[0] != 1)
        return fail(ErrorCode::kInvalid, "a byte that is not 0 or 1 is no BOOLEAN");
      to += value;
      return {};
    case Kind::kFloat:
    case Kind::kDouble:
      to += value;
      order_float(to.data() + begin, size);
      return {};
    case Kind::kUuid:
      append_be(to, order_uuid(load_be<uint64_t>(value.data())));
      to += value.substr(8);
      return {};
    case Kind::kDecimal:
      if (load_be<int32_t>(value.data()) != type.scale)
        return fail(ErrorCode::kInvalid, "a DECIMAL of scale {} where the column has {}",
                    load_be<int32_t>(value.data()), type.scale);
      value.remove_prefix(4);
      break;
    default:
      break;
  }
  to += value;
  to[begin] = flip_top_bit(to[begin]);
  return {};
}

bool take_component(std::string_view& key, const Type& type, std::string& to) {
  if (!take_mark(key)) return false;
  size_t size = fixed_size(type.kind);
  if (size == 0) return take_escaped(key, [&](std::string_view run) { to += run; });
  if (type.kind == Kind::kDecimal) {
    append_be(to, int32_t{type.scale});
    size -= 4;
  }
  if (key.size() < size) return false;
  size_t begin = to.size();
  to += key.substr(0, size);
  char* bytes = to.data() + begin;
  switch (type.kind) {
    case Kind::kBoolean:
      if (*bytes != 0 && *bytes != 1) return false;
      break;
    case Kind::kFloat:
    case Kind::kDouble:
      restore_float(bytes, size);
      break;
    case Kind::kUuid:
      store_be(bytes, restore_uuid(load_be<uint64_t>(bytes)));
      break;
    default:
      *bytes = flip_top_bit(*bytes);
  }
  key.remove_prefix(size);
  return true;
}

bool skip_component(std::string_view& key, const Type& type) {
  if (!take_mark(key)) return false;
  size_t size = fixed_size(type.kind);
  if (size == 0) return take_escaped(key, [](std::string_view) {});
  if (type.kind == Kind::kDecimal) size -= 4;
  if (key.size() < size) return false;
  key.remove_prefix(size);
  return true;
}

Result<void> append_key(std::string& to, const Table& table, std::span<const std::string_view> key,
                        std::string& scratch) {
  const auto& partition = table.partition_key();
  const auto& clustering = table.clustering_key();
  if (key.size() < partition.size() || key.size() > partition.size() + clustering.size())
    return fail(ErrorCode::kInvalid,
                "{} key values for {}, which has {} partition key and {} clustering columns",
                key.size(), table.definition().full_name(), partition.size(), clustering.size());
  for (auto value : key)
    if (value.size() > kComponentBytesMax)
      return fail(ErrorCode::kLimit, "a key value of {} bytes for {}; the limit is {}",
                  value.size(), table.definition().full_name(), kComponentBytesMax);
  int64_t token = MR_TRY(token_of(table, key, scratch));
  append_be(to, table.id().value);
  append_be(to, flip_sign(token));
  for (size_t i = 0; i < partition.size(); ++i)
    MR_TRY(append_column(to, table, partition[i], key[i]));
  to += kRowKind;
  for (size_t i = partition.size(); i < key.size(); ++i)
    MR_TRY(append_column(to, table, clustering[i - partition.size()], key[i]));
  if (key.size() == partition.size() + clustering.size()) to += kKeyEnd;
  return {};
}

std::string key_of_token(TableId table, int64_t token) {
  std::string key;
  append_be(key, table.value);
  append_be(key, flip_sign(token));
  return key;
}

std::string key_after_table(TableId table) {
  std::string key;
  append_be(key, table.value);
  return key_after_prefix(std::move(key));
}

std::string key_after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  MR_CHECK(!prefix.empty());
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace millrace::store
