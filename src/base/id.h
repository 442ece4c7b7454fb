// Numbers that must not be mixed up: an Offset is not a PartitionId is not a TableId.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <functional>

namespace millrace {

template <class Tag, class Rep>
struct Id {
  using rep = Rep;
  Rep value{};

  constexpr Id() = default;
  constexpr explicit Id(Rep v) : value(v) {}
  friend constexpr auto operator<=>(Id, Id) = default;
};

// A place among the records of one partition: 0 for the first ever written, +1 for each next.
// As a position ("next offset") it names the record that is not there yet.
struct OffsetTag;
using Offset = Id<OffsetTag, int64_t>;
constexpr Offset operator+(Offset offset, int64_t records) {
  return Offset(offset.value + records);
}
constexpr int64_t operator-(Offset to, Offset from) {
  return to.value - from.value;
}

// A partition of a topic, from 0.
struct PartitionTag;
using PartitionId = Id<PartitionTag, int32_t>;

// A table in the store's catalog, from 1; never used twice in one data directory.
struct TableTag;
using TableId = Id<TableTag, uint32_t>;

}  // namespace millrace

template <class Tag, class Rep>
struct fmt::formatter<millrace::Id<Tag, Rep>> : fmt::formatter<Rep> {
  auto format(millrace::Id<Tag, Rep> id, format_context& context) const {
    return fmt::formatter<Rep>::format(id.value, context);
  }
};

template <class Tag, class Rep>
struct std::hash<millrace::Id<Tag, Rep>> {
  size_t operator()(millrace::Id<Tag, Rep> id) const { return std::hash<Rep>()(id.value); }
};
