#include "table/cell.h"

#include <algorithm>
#include <bit>

#include "base/bytes.h"

namespace millrace::table {
namespace {

using schema::Kind;

void append_int128(std::string& to, sql::Int128 value) {
  append_be(to, static_cast<int64_t>(value >> 64));
  append_be(to, static_cast<uint64_t>(value));
}

sql::Int128 int128_of(ByteReader& reader) {
  auto high = static_cast<sql::Unsigned128>(reader.be<uint64_t>());
  return static_cast<sql::Int128>(high << 64 | reader.be<uint64_t>());
}

// An element of a list, map or struct: its length, then its bytes; -1 for null.
void append_element(const sql::VectorView& column, size_t row, std::string& to) {
  if (!column.valid(row)) return append_be(to, int32_t{-1});
  size_t length_at = to.size();
  append_be(to, int32_t{0});
  append_cell(column, row, to);
  store_be(to.data() + length_at, static_cast<int32_t>(to.size() - length_at - 4));
}

void append_nested(const sql::VectorView& column, size_t row, std::string& to) {
  if (column.type().kind == Kind::kStruct) {
    for (size_t i = 0; i < column.type().children.size(); ++i)
      append_element(column.child(i), row, to);
    return;
  }
  auto list = column.value<sql::ListValue>(row);
  append_be(to, static_cast<int32_t>(list.length));
  for (uint64_t i = list.offset; i < list.offset + list.length; ++i) {
    append_element(column.child(0), i, to);
    if (column.type().kind == Kind::kMap) append_element(column.child(1), i, to);
  }
}

Result<void> read_element(ByteReader& reader, sql::VectorWriter& writer, size_t row) {
  auto length = reader.be<int32_t>();
  if (length < 0) {
    writer.set_null(row);
    return {};
  }
  return from_cell(reader.take(static_cast<size_t>(length)), writer, row);
}

Result<void> read_nested(ByteReader& reader, sql::VectorWriter& writer, size_t row) {
  const auto& type = writer.type();
  if (type.kind == Kind::kStruct) {
    writer.set_valid(row);
    for (size_t i = 0; i < type.children.size(); ++i)
      MR_TRY(read_element(reader, writer.child(i), row));
    return {};
  }
  sql::ListValue list{writer.element_count(), 0};
  for (auto left = reader.be<int32_t>(); left > 0 && !reader.failed(); --left) {
    size_t at = writer.add_element();
    MR_TRY(read_element(reader, writer.child(0), at));
    if (type.kind == Kind::kMap) MR_TRY(read_element(reader, writer.child(1), at));
    ++list.length;
  }
  writer.set(row, list);
  return {};
}

}  // namespace

void append_cell(const sql::VectorView& column, size_t row, std::string& to) {
  switch (column.type().kind) {
    case Kind::kBoolean:
      to += column.value<bool>(row) ? '\1' : '\0';
      return;
    case Kind::kTinyInt:
      return append_be(to, column.value<int8_t>(row));
    case Kind::kSmallInt:
      return append_be(to, column.value<int16_t>(row));
    case Kind::kInteger:
    case Kind::kDate:
      return append_be(to, column.value<int32_t>(row));
    case Kind::kBigInt:
    case Kind::kTime:
    case Kind::kTimestamp:
      return append_be(to, column.value<int64_t>(row));
    case Kind::kHugeInt:
      return append_int128(to, column.value<sql::Int128>(row));
    case Kind::kFloat:
      return append_be(to, std::bit_cast<int32_t>(column.value<float>(row)));
    case Kind::kDouble:
      return append_be(to, std::bit_cast<int64_t>(column.value<double>(row)));
    case Kind::kDecimal:
      append_be(to, int32_t{column.type().scale});
      return append_int128(to, column.decimal(row));
    case Kind::kVarchar:
    case Kind::kBlob:
      to += column.text(row);
      return;
    case Kind::kUuid: {
      Uuid uuid = column.uuid(row);
      to.append(reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size());
      return;
    }
    case Kind::kList:
    case Kind::kMap:
    case Kind::kStruct:
      return append_nested(column, row, to);
  }
}

Result<void> from_cell(std::string_view cell, sql::VectorWriter& writer, size_t row) {
  ByteReader reader(cell);
  switch (writer.type().kind) {
    case Kind::kBoolean:
      writer.set(row, reader.be<uint8_t>() != 0);
      break;
    case Kind::kTinyInt:
      writer.set(row, reader.be<int8_t>());
      break;
    case Kind::kSmallInt:
      writer.set(row, reader.be<int16_t>());
      break;
    case Kind::kInteger:
    case Kind::kDate:
      writer.set(row, reader.be<int32_t>());
      break;
    case Kind::kBigInt:
    case Kind::kTime:
    case Kind::kTimestamp:
      writer.set(row, reader.be<int64_t>());
      break;
    case Kind::kHugeInt:
      writer.set(row, int128_of(reader));
      break;
    case Kind::kFloat:
      writer.set(row, std::bit_cast<float>(reader.be<int32_t>()));
      break;
    case Kind::kDouble:
      writer.set(row, std::bit_cast<double>(reader.be<int64_t>()));
      break;
    case Kind::kDecimal:
      reader.be<int32_t>();  // the column's scale
      writer.set_decimal(row, int128_of(reader));
      break;
    case Kind::kVarchar:
    case Kind::kBlob:
      writer.set_text(row, reader.take(cell.size()));
      break;
    case Kind::kUuid: {
      Uuid uuid;
      auto bytes = reader.take(uuid.bytes.size());
      std::ranges::copy(bytes, uuid.bytes.begin());
      writer.set_uuid(row, uuid);
      break;
    }
    case Kind::kList:
    case Kind::kMap:
    case Kind::kStruct:
      MR_TRY(read_nested(reader, writer, row));
      break;
  }
  if (reader.failed() || !reader.at_end())
    return fail(ErrorCode::kCorrupt, "a cell of {} bytes is no {}", cell.size(),
                schema::to_sql(writer.type()));
  return {};
}

}  // namespace millrace::table
