// Columns of a chunk: reading results, and filling inputs, without a copy through rows.
// A chunk has at most kChunkRows rows.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "base/uuid.h"
#include "schema/type.h"

namespace millrace::sql {

inline constexpr size_t kChunkRows = 2048;  // DuckDB's vector size

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Unsigned128;

// DuckDB's string: up to 12 bytes inside, longer ones by pointer.
struct StringValue {
  uint32_t length;
  char prefix[4];
  union {
    const char* pointer;
    char rest[8];
  };

  std::string_view view() const {
    return length <= 12 ? std::string_view(prefix, length) : std::string_view(pointer, length);
  }
  // Borrows texts of more than 12 bytes.
  static StringValue borrow(std::string_view text) {
    StringValue value;
    value.length = static_cast<uint32_t>(text.size());
    if (text.size() <= 12) {
      char inside[12] = {};
      text.copy(inside, text.size());
      std::memcpy(value.prefix, inside, 4);
      std::memcpy(value.rest, inside + 4, 8);
    } else {
      std::memcpy(value.prefix, text.data(), 4);
      value.pointer = text.data();
    }
    return value;
  }
};
static_assert(sizeof(StringValue) == 16);

// Where a row's elements lie in a list's child column.
struct ListValue {
  uint64_t offset;
  uint64_t length;
};

// One column of a result. Borrowed from its chunk. Values by schema::Kind: bool, int8_t..int64_t,
// Int128 (HUGEINT), float, double, DECIMAL by decimal(), StringValue (VARCHAR, BLOB), UUID by
// uuid(), int32_t days (DATE), int64_t microseconds (TIME, TIMESTAMP), ListValue (LIST, MAP; a
// map's child 0 are keys, child 1 values).
class VectorView {
 public:
  VectorView() = default;
  VectorView(const schema::Type& type, void* vector);  // duckdb_vector

  const schema::Type& type() const { return *type_; }
  bool valid(size_t row) const {
    return validity_ == nullptr || (validity_[row / 64] >> (row % 64) & 1) != 0;
  }
  template <class T>
  T value(size_t row) const {
    T result;
    std::memcpy(&result, static_cast<const char*>(data_) + row * sizeof(T), sizeof(T));
    return result;
  }
  // Valid as long as the chunk: short strings lie inside it.
  std::string_view text(size_t row) const {
    return static_cast<const StringValue*>(data_)[row].view();
  }
  Uuid uuid(size_t row) const;
  Int128 decimal(size_t row) const;  // unscaled
  const VectorView& child(size_t i) const { return children_[i]; }

 private:
  const schema::Type* type_ = nullptr;
  const void* data_ = nullptr;
  const uint64_t* validity_ = nullptr;
  std::vector<VectorView> children_;
};

// One column being filled, row after row; a row may be written again before the next. Texts of
// more than 12 bytes are borrowed until the chunk has been consumed.
class VectorWriter {
 public:
  explicit VectorWriter(const schema::Type& type);
  // Points at an empty vector; drops what was there.
  void bind(void* vector);  // duckdb_vector

  const schema::Type& type() const { return *type_; }
  void set_null(size_t row);
  void set_valid(size_t row) { validity_[row / 64] |= uint64_t{1} << (row % 64); }

  // T as VectorView says.
  template <class T>
  void set(size_t row, T value) {
    set_valid(row);
    std::memcpy(static_cast<char*>(data_) + row * sizeof(T), &value, sizeof(T));
  }
  void set_text(size_t row, std::string_view text) { set(row, StringValue::borrow(text)); }
  void set_uuid(size_t row, const Uuid& uuid);
  void set_decimal(size_t row, Int128 unscaled);

  VectorWriter& child(size_t i) { return children_[i]; }
  // LIST and MAP: room for one more element; its row in child(0) (and child(1) of a map).
  size_t add_element();
  // How many elements there are; the next add_element() gives this row.
  size_t element_count() const { return elements_; }
  // After all rows: tells DuckDB the lists' sizes.
  void finish();

 private:
  void forget_elements();
  void refresh();

  const schema::Type* type_;
  void* vector_ = nullptr;
  void* data_ = nullptr;
  uint64_t* validity_ = nullptr;
  size_t elements_ = 0;
  size_t capacity_ = 0;
  std::vector<VectorWriter> children_;
};

// A chunk's worth of result rows.
struct Rows {
  size_t count = 0;
  std::span<const VectorView> columns;
};

}  // namespace millrace::sql
