#include "store/key.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>

#include "base/bytes.h"
#include "store/test_typed_order.h"
#include "store/token.h"

namespace millrace::store {
namespace {

using schema::Kind;

schema::Type type_of(Kind kind) {
  schema::Type type;
  type.kind = kind;
  if (kind == Kind::kDecimal) {
    type.precision = 38;
    type.scale = 3;
  }
  return type;
}

// Random values, with the edges of each type among them, as CQL serialisations, and their order.
class Values {
 public:
  explicit Values(Kind kind) : kind_(kind) {}

  std::string next() {
    switch (kind_) {
      case Kind::kBoolean:
        return std::string(1, static_cast<char>(random_() & 1));
      case Kind::kTinyInt:
        return be<int8_t>();
      case Kind::kSmallInt:
        return be<int16_t>();
      case Kind::kInteger:
      case Kind::kDate:
        return be<int32_t>();
      case Kind::kBigInt:
      case Kind::kTime:
      case Kind::kTimestamp:
        return be<int64_t>();
      case Kind::kHugeInt:
        return be<int64_t>() + be<int64_t>();
      case Kind::kDecimal:
        return std::string("\0\0\0\3", 4) + be<int64_t>() + be<int64_t>();
      case Kind::kFloat:
        return floating<float, int32_t>();
      case Kind::kDouble:
        return floating<double, int64_t>();
      case Kind::kUuid:
        return uuid();
      default:
        return text();
    }
  }

  bool less(std::string_view a, std::string_view b) const { return typed_less(kind_, a, b); }

 private:
  template <class T>
  std::string be() {
    constexpr T kEdges[] = {0, 1, -1, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
    T value = random_() % 3 == 0 ? kEdges[random_() % 5] : static_cast<T>(random_());
    std::string bytes;
    append_be(bytes, value);
    return bytes;
  }
  template <class Float, class Bits>
  std::string floating() {
    using Limits = std::numeric_limits<Float>;
    const Float edges[] = {0,
                           -1,
                           1,
                           Limits::infinity(),
                           -Limits::infinity(),
                           Limits::max(),
                           Limits::lowest(),
                           Limits::denorm_min(),
                           -Limits::denorm_min()};
    Float value = edges[random_() % 9];
    if (random_() % 2 == 0)
      value = static_cast<Float>(
          std::ldexp(static_cast<double>(random_()) - 9e18, static_cast<int>(random_() % 60) - 90));
    std::string bytes;
    append_be(bytes, std::bit_cast<Bits>(value));
    return bytes;
  }
  std::string uuid() {
    std::string bytes = be<int64_t>() + be<int64_t>();
    constexpr int kVersions[] = {1, 1, 4, 7};
    bytes[6] = static_cast<char>((bytes[6] & 0xf) | kVersions[random_() % 4] << 4);
    if (random_() % 2 == 0) std::fill_n(bytes.begin(), 4, '\x11');
    return bytes;
  }
  std::string text() {
    constexpr char kBytes[] = {0, 1, 'a', '\x40', '\x38', '\xfe', '\xff'};
    std::string bytes(random_() % 6, ' ');
    for (char& c : bytes) c = kBytes[random_() % sizeof kBytes];
    return bytes;
  }

  Kind kind_;
  std::mt19937_64 random_{20261121};
};

class KeyOrder : public testing::TestWithParam<Kind> {};

TEST_P(KeyOrder, OfBytesIsOrderOfValues) {
  auto type = type_of(GetParam());
  Values values(GetParam());
  for (int i = 0; i < 20'000; ++i) {
    std::string a = values.next();
    std::string b = values.next();
    std::string key_a;
    std::string key_b;
    ASSERT_TRUE(append_component(key_a, type, a));
    ASSERT_TRUE(append_component(key_b, type, b));
    ASSERT_EQ(values.less(a, b), key_a < key_b) << i;
    ASSERT_EQ(values.less(b, a), key_b < key_a) << i;
    ASSERT_EQ(key_b.starts_with(key_a), a == b) << i;
  }
}

TEST_P(KeyOrder, ValuesComeBack) {
  auto type = type_of(GetParam());
  Values values(GetParam());
  for (int i = 0; i < 2'000; ++i) {
    std::string value = values.next();
    std::string key(1, kComponentMark);
    ASSERT_TRUE(append_component(key, type, value));
    key += kKeyEnd;
    std::string_view rest = key;
    std::string back;
    ASSERT_TRUE(take_component(rest, type, back));
    ASSERT_EQ(back, value);
    ASSERT_EQ(rest, std::string(1, kKeyEnd));
    rest = key;
    ASSERT_TRUE(skip_component(rest, type));
    ASSERT_EQ(rest, std::string(1, kKeyEnd));
    for (size_t cut = 0; cut + 1 < key.size(); ++cut) {
      rest = std::string_view(key).substr(0, cut);
      ASSERT_FALSE(skip_component(rest, type));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryType, KeyOrder,
                         testing::Values(Kind::kBoolean, Kind::kTinyInt, Kind::kSmallInt,
                                         Kind::kInteger, Kind::kBigInt, Kind::kHugeInt,
                                         Kind::kFloat, Kind::kDouble, Kind::kDecimal,
                                         Kind::kVarchar, Kind::kBlob, Kind::kUuid, Kind::kDate,
                                         Kind::kTime, Kind::kTimestamp));

TEST(Key, RefusesWhatIsNoValueOfTheType) {
  std::string key;
  EXPECT_FALSE(append_component(key, type_of(Kind::kInteger), "123"));
  EXPECT_FALSE(append_component(key, type_of(Kind::kBoolean), "\x02"));
  EXPECT_FALSE(append_component(key, type_of(Kind::kUuid), ""));
  EXPECT_FALSE(append_component(key, type_of(Kind::kDecimal), std::string(20, '\0')));
  EXPECT_FALSE(can_be_key(type_of(Kind::kList)));
}

TEST(Key, TokenOfSeveralColumnsIsOfCassandrasComposite) {
  TableDefinition definition{.keyspace = "k",
                             .name = "t",
                             .columns = {},
                             .partition_key = {"b", "a"},
                             .clustering_key = {"c"},
                             .metadata = ""};
  for (const char* name : {"a", "b", "c"})
    definition.columns.push_back({.name = name, .type = type_of(Kind::kVarchar)});
  Table table(TableId(7), definition);
  std::string key;
  std::string scratch;
  const std::string_view values[] = {"abc", ""};
  ASSERT_TRUE(append_key(key, table, values, scratch));
  std::string composite("\0\3abc\0\0\0\0", 9);
  EXPECT_EQ(key.substr(0, kTokenEnd), key_of_token(TableId(7), murmur3_token(composite)));
  EXPECT_EQ(key.substr(kTokenEnd), std::string("\x40"
                                               "abc\0\0\x40\0\0\x30",
                                               10));
  EXPECT_FALSE(append_key(key, table, std::span(values).first(1), scratch));
}

TEST(Key, AfterAPrefixCarriesPastFf) {
  EXPECT_EQ(key_after_prefix("a\xff\xff"), "b");
  EXPECT_EQ(key_after_table(TableId(0xff)), std::string("\0\0\1", 3));
  EXPECT_LT(key_of_token(TableId(0xff), INT64_MAX), key_after_table(TableId(0xff)));
}

}  // namespace
}  // namespace millrace::store
