#include "sql/avro_writer.h"

#include "base/bytes.h"
#include "base/uuid.h"

namespace millrace::sql {
namespace {

using schema::Kind;

void append_long(int64_t number, std::string& to) {
  append_varint(to, static_cast<uint64_t>(number) << 1 ^ static_cast<uint64_t>(number >> 63));
}

void append_text(std::string_view text, std::string& to) {
  append_long(static_cast<int64_t>(text.size()), to);
  to += text;
}

template <class T>
void append_little_endian(T value, std::string& to) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  to.append(bytes, sizeof(T));
}

// The fewest bytes of two's complement, big endian.
void append_decimal(Int128 unscaled, std::string& to) {
  char bytes[16];
  for (size_t i = 16; i-- > 0; unscaled >>= 8) bytes[i] = static_cast<char>(unscaled);
  size_t first = 0;
  auto sign_of = [&](size_t i) { return (bytes[i] & 0x80) != 0 ? '\xff' : '\0'; };
  while (first < 15 && bytes[first] == sign_of(first + 1)) ++first;
  append_text({bytes + first, 16 - first}, to);
}

void append_value(const VectorView& column, size_t row, std::string& to);

// Every value is a union of null and its type.
void append_union(const VectorView& column, size_t row, std::string& to) {
  if (!column.valid(row)) {
    append_long(0, to);
    return;
  }
  append_long(1, to);
  append_value(column, row, to);
}

void append_elements(const VectorView& column, size_t row, std::string& to) {
  auto list = column.value<ListValue>(row);
  bool is_map = column.type().kind == Kind::kMap;
  if (list.length > 0) append_long(static_cast<int64_t>(list.length), to);
  for (uint64_t i = list.offset; i < list.offset + list.length; ++i) {
    if (is_map) append_text(column.child(0).text(i), to);
    append_union(column.child(is_map ? 1 : 0), i, to);
  }
  append_long(0, to);
}

void append_value(const VectorView& column, size_t row, std::string& to) {
  switch (column.type().kind) {
    case Kind::kBoolean:
      to += column.value<bool>(row) ? '\1' : '\0';
      return;
    case Kind::kTinyInt:
      return append_long(column.value<int8_t>(row), to);
    case Kind::kSmallInt:
      return append_long(column.value<int16_t>(row), to);
    case Kind::kInteger:
    case Kind::kDate:
      return append_long(column.value<int32_t>(row), to);
    case Kind::kBigInt:
    case Kind::kTime:
    case Kind::kTimestamp:
      return append_long(column.value<int64_t>(row), to);
    case Kind::kHugeInt:
      return append_decimal(column.value<Int128>(row), to);
    case Kind::kDecimal:
      return append_decimal(column.decimal(row), to);
    case Kind::kFloat:
      return append_little_endian(column.value<float>(row), to);
    case Kind::kDouble:
      return append_little_endian(column.value<double>(row), to);
    case Kind::kVarchar:
    case Kind::kBlob:
      return append_text(column.text(row), to);
    case Kind::kUuid: {
      char text[36];
      write_uuid(column.uuid(row), text);
      return append_text({text, sizeof text}, to);
    }
    case Kind::kList:
    case Kind::kMap:
      return append_elements(column, row, to);
    case Kind::kStruct:
      for (size_t i = 0; i < column.type().children.size(); ++i)
        append_union(column.child(i), row, to);
      return;
  }
}

}  // namespace

void AvroWriter::append(const Rows& rows, size_t row, std::string& to) const {
  to += kAvroMagic;
  append_be(to, id_);
  // A TTL may stand behind the columns, but not in what a topic is written from.
  for (const auto& column : rows.columns) append_union(column, row, to);
}

}  // namespace millrace::sql
