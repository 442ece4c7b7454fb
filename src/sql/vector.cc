#include "sql/vector.h"

#include "sql/connection.h"

namespace millrace::sql {
namespace {

using schema::Kind;

bool has_elements(Kind kind) {
  return kind == Kind::kList || kind == Kind::kMap;
}

// DuckDB keeps a DECIMAL in the smallest integer that holds its precision.
enum class DecimalWidth : uint8_t { k16, k32, k64, k128 };
DecimalWidth decimal_width(uint8_t precision) {
  if (precision <= 4) return DecimalWidth::k16;
  if (precision <= 9) return DecimalWidth::k32;
  if (precision <= 18) return DecimalWidth::k64;
  return DecimalWidth::k128;
}

// DuckDB keeps a UUID as a signed 128-bit number whose order is the UUID's.
constexpr Int128 kUuidSign = Int128{1} << 127;

// The vectors below a list, map or struct vector, in the order of Type::children.
void* child_vector(Kind kind, void* vector, size_t i) {
  auto handle = static_cast<duckdb_vector>(vector);
  if (kind == Kind::kStruct) return duckdb_struct_vector_get_child(handle, i);
  duckdb_vector element = duckdb_list_vector_get_child(handle);
  return kind == Kind::kMap ? duckdb_struct_vector_get_child(element, i) : element;
}

}  // namespace

VectorView::VectorView(const schema::Type& type, void* vector)
    : type_(&type),
      data_(duckdb_vector_get_data(static_cast<duckdb_vector>(vector))),
      validity_(duckdb_vector_get_validity(static_cast<duckdb_vector>(vector))) {
  for (size_t i = 0; i < type.children.size(); ++i)
    children_.emplace_back(type.children[i].type, child_vector(type.kind, vector, i));
}

Uuid VectorView::uuid(size_t row) const {
  auto number = static_cast<Unsigned128>(value<Int128>(row) ^ kUuidSign);
  Uuid uuid;
  for (size_t i = 16; i-- > 0; number >>= 8) uuid.bytes[i] = static_cast<uint8_t>(number);
  return uuid;
}

Int128 VectorView::decimal(size_t row) const {
  switch (decimal_width(type_->precision)) {
    case DecimalWidth::k16:
      return value<int16_t>(row);
    case DecimalWidth::k32:
      return value<int32_t>(row);
    case DecimalWidth::k64:
      return value<int64_t>(row);
    case DecimalWidth::k128:
      break;
  }
  return value<Int128>(row);
}

VectorWriter::VectorWriter(const schema::Type& type) : type_(&type) {
  children_.reserve(type.children.size());
  for (const auto& child : type.children) children_.emplace_back(child.type);
}

void VectorWriter::bind(void* vector) {
  vector_ = vector;
  forget_elements();
  refresh();
}

void VectorWriter::forget_elements() {
  elements_ = 0;
  capacity_ = kChunkRows;
  for (auto& child : children_) child.forget_elements();
}

void VectorWriter::refresh() {
  auto handle = static_cast<duckdb_vector>(vector_);
  duckdb_vector_ensure_validity_writable(handle);
  data_ = duckdb_vector_get_data(handle);
  validity_ = duckdb_vector_get_validity(handle);
  for (size_t i = 0; i < children_.size(); ++i) {
    children_[i].vector_ = child_vector(type_->kind, vector_, i);
    children_[i].refresh();
  }
}

void VectorWriter::set_null(size_t row) {
  validity_[row / 64] &= ~(uint64_t{1} << (row % 64));
  if (has_elements(type_->kind)) {
    // A null list still has a place, which must lie inside its child.
    ListValue empty{0, 0};
    std::memcpy(static_cast<char*>(data_) + row * sizeof empty, &empty, sizeof empty);
  } else if (type_->kind == Kind::kStruct) {
    for (auto& child : children_) child.set_null(row);
  }
}

void VectorWriter::set_uuid(size_t row, const Uuid& uuid) {
  uint64_t high;
  uint64_t low;
  std::memcpy(&high, uuid.bytes.data(), 8);
  std::memcpy(&low, uuid.bytes.data() + 8, 8);
  auto number = static_cast<Unsigned128>(__builtin_bswap64(high)) << 64;
  number |= __builtin_bswap64(low);
  set(row, static_cast<Int128>(number) ^ kUuidSign);
}

void VectorWriter::set_decimal(size_t row, Int128 unscaled) {
  switch (decimal_width(type_->precision)) {
    case DecimalWidth::k16:
      return set(row, static_cast<int16_t>(unscaled));
    case DecimalWidth::k32:
      return set(row, static_cast<int32_t>(unscaled));
    case DecimalWidth::k64:
      return set(row, static_cast<int64_t>(unscaled));
    case DecimalWidth::k128:
      return set(row, unscaled);
  }
}

size_t VectorWriter::add_element() {
  if (elements_ == capacity_) {
    capacity_ *= 2;
    duckdb_list_vector_reserve(static_cast<duckdb_vector>(vector_), capacity_);
    refresh();  // growing moved the children
  }
  return elements_++;
}

void VectorWriter::finish() {
  if (has_elements(type_->kind))
    duckdb_list_vector_set_size(static_cast<duckdb_vector>(vector_), elements_);
  for (auto& child : children_) child.finish();
}

}  // namespace millrace::sql
