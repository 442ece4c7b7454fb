// Components of keys: the order of the bytes is the order of the values, what was written is read
// back, and no bytes are read as a value that would be written otherwise.
// Input: the type, 1 byte | the first value's size, 1 byte | the first value | the second value.
#include <array>
#include <cmath>
#include <cstdint>

#include "base/check.h"
#include "store/key.h"
#include "store/test_typed_order.h"

namespace millrace::store {
namespace {

using schema::Kind;

constexpr std::array kKinds = {Kind::kBoolean, Kind::kTinyInt, Kind::kSmallInt, Kind::kInteger,
                               Kind::kBigInt,  Kind::kHugeInt, Kind::kFloat,    Kind::kDouble,
                               Kind::kDecimal, Kind::kVarchar, Kind::kBlob,     Kind::kUuid,
                               Kind::kDate,    Kind::kTime,    Kind::kTimestamp};

// NaN has no place in an order by `<`.
bool is_nan(Kind kind, std::string_view value) {
  if (kind == Kind::kFloat) return std::isnan(floating_number<float, int32_t>(value));
  return kind == Kind::kDouble && std::isnan(floating_number<double, int64_t>(value));
}

void check_read_back(const schema::Type& type, std::string_view value, std::string_view key) {
  std::string_view rest = key;
  MR_CHECK(skip_component(rest, type) && rest.empty());
  std::string back;
  rest = key;
  MR_CHECK(take_component(rest, type, back) && rest.empty());
  std::string again;
  MR_CHECK(append_component(again, type, back) && again == key.substr(1));
  MR_CHECK(back == value);
}

void check_any_bytes(const schema::Type& type, std::string_view bytes) {
  std::string_view rest = bytes;
  std::string value;
  if (!take_component(rest, type, value)) return;
  std::string again(1, kComponentMark);
  MR_CHECK(append_component(again, type, value));
  MR_CHECK(again == bytes.substr(0, bytes.size() - rest.size()));
}

void check(std::string_view input) {
  if (input.size() < 2) return;
  schema::Type type{.kind = kKinds[static_cast<uint8_t>(input[0]) % kKinds.size()]};
  if (type.kind == Kind::kDecimal) {
    type.precision = 38;
    type.scale = 3;
  }
  auto size_a = static_cast<uint8_t>(input[1]);
  auto a = input.substr(2, size_a);
  auto b = input.substr(2 + a.size());
  check_any_bytes(type, input.substr(1));
  std::string key_a(1, kComponentMark);
  std::string key_b(1, kComponentMark);
  bool whole = append_component(key_a, type, a).has_value();
  if (whole) check_read_back(type, a, key_a);
  if (!append_component(key_b, type, b) || !whole) return;
  if (is_nan(type.kind, a) || is_nan(type.kind, b)) return;
  MR_CHECK(typed_less(type.kind, a, b) == (key_a < key_b));
  MR_CHECK(typed_less(type.kind, b, a) == (key_b < key_a));
  MR_CHECK(key_a == key_b || !key_b.starts_with(key_a));
}

}  // namespace
}  // namespace millrace::store

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  millrace::store::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
