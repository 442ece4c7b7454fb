// The order of CQL values, from what they mean: what tests hold the order of keys against.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "schema/type.h"

namespace millrace::store {

// 128 bits, the sign in the first half.
inline std::pair<int64_t, uint64_t> wide_number(std::string_view bytes) {
  return {load_be<int64_t>(bytes.data()), load_be<uint64_t>(bytes.data() + 8)};
}

template <class Float, class Bits>
Float floating_number(std::string_view bytes) {
  return std::bit_cast<Float>(load_be<Bits>(bytes.data()));
}

// As Java's Float.compare has it, and so Cassandra: -0 comes before 0. Not for NaN.
template <class Float, class Bits>
bool floating_less(std::string_view a, std::string_view b) {
  auto x = floating_number<Float, Bits>(a);
  auto y = floating_number<Float, Bits>(b);
  return x < y || (x == y && std::signbit(x) && !std::signbit(y));
}

// RFC 9562: version 1 has the low 32 bits of its time first, then the middle 16, then the high.
inline std::string uuid_by_time(std::string_view uuid) {
  return std::string(uuid.substr(6, 2)) + std::string(uuid.substr(4, 2)) +
         std::string(uuid.substr(0, 4)) + std::string(uuid.substr(8));
}

// Cassandra's UUIDType: by version, version 1 by time, others by their bytes.
inline bool uuid_less(std::string_view a, std::string_view b) {
  int version_a = static_cast<unsigned char>(a[6]) >> 4;
  int version_b = static_cast<unsigned char>(b[6]) >> 4;
  if (version_a != version_b) return version_a < version_b;
  return version_a == 1 ? uuid_by_time(a) < uuid_by_time(b) : a < b;
}

// Whether a < b, both CQL serialisations of values of this kind that can be in a key; DECIMALs of
// the same scale with 16 bytes of digits.
inline bool typed_less(schema::Kind kind, std::string_view a, std::string_view b) {
  using schema::Kind;
  switch (kind) {
    case Kind::kTinyInt:
      return load_be<int8_t>(a.data()) < load_be<int8_t>(b.data());
    case Kind::kSmallInt:
      return load_be<int16_t>(a.data()) < load_be<int16_t>(b.data());
    case Kind::kInteger:
    case Kind::kDate:
      return load_be<int32_t>(a.data()) < load_be<int32_t>(b.data());
    case Kind::kBigInt:
    case Kind::kTime:
    case Kind::kTimestamp:
      return load_be<int64_t>(a.data()) < load_be<int64_t>(b.data());
    case Kind::kHugeInt:
      return wide_number(a) < wide_number(b);
    case Kind::kDecimal:
      return wide_number(a.substr(4)) < wide_number(b.substr(4));
    case Kind::kFloat:
      return floating_less<float, int32_t>(a, b);
    case Kind::kDouble:
      return floating_less<double, int64_t>(a, b);
    case Kind::kUuid:
      return uuid_less(a, b);
    default:
      return a < b;
  }
}

}  // namespace millrace::store
