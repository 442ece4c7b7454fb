// Keys of table rows as RocksDB has them: bytes whose order is the order of the rows.
//
//   table id, 4 bytes | token, 8 bytes, sign bit flipped | for each partition key component: 0x40,
//   bytes | kind, 1 byte | for each clustering component: 0x40, bytes | 0x38
//
// docs/format/store.md says how each type becomes bytes. No component is a prefix of another.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "schema/type.h"
#include "store/store.h"

namespace millrace::store {

inline constexpr char kComponentMark = 0x40;
inline constexpr char kKeyEnd = 0x38;  // sorts before kComponentMark: a shorter key comes first
// Between partition key and clustering columns. 0x10 is kept for the deletion of a whole
// partition, 0x20 for static columns: both have to come before the partition's rows.
inline constexpr char kRowKind = 0x30;
inline constexpr size_t kTokenEnd = 12;               // table id and token
inline constexpr size_t kComponentBytesMax = 0xffff;  // of one key column, as in Cassandra

constexpr uint64_t flip_sign(int64_t value) {
  return static_cast<uint64_t>(value) ^ (uint64_t{1} << 63);
}

// Types that can be in a key: all but LIST, MAP and STRUCT.
bool can_be_key(const schema::Type& type);

// Appends a value (its CQL serialisation, see store.h) in byte-comparable form.
// Errors: kInvalid: the bytes are no value of that type, or a DECIMAL of another scale.
Result<void> append_component(std::string& to, const schema::Type& type, std::string_view value);
// The reverse: takes one component off the front of `key` and appends its CQL serialisation.
// False if the bytes are none that append_component writes.
bool take_component(std::string_view& key, const schema::Type& type, std::string& to);
// Takes one component off the front of `key` without decoding it.
bool skip_component(std::string_view& key, const schema::Type& type);

// Appends the bytes with which the keys of all rows begin that have the values `key`: of all
// partition key columns, then of any number of clustering columns. With all of them it is the
// row's key. `scratch` is working memory.
// Errors: kInvalid (too few or too many values, an empty partition key, no value of its column's
// type), kLimit (longer than kComponentBytesMax); `to` may then have been appended to.
Result<void> append_key(std::string& to, const Table& table, std::span<const std::string_view> key,
                        std::string& scratch);

// The first key of a table's rows with a token of at least `token`.
std::string key_of_token(TableId table, int64_t token);
// The first key after all rows of a table.
std::string key_after_table(TableId table);
// The first key after all that begin with `prefix`, which is not all 0xff.
std::string key_after_prefix(std::string prefix);

}  // namespace millrace::store
