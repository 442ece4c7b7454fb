// Which items of earlier responses an API may send again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sql/vector.h"

namespace millrace::source {

using Int128 = sql::Int128;

// Items by a hash of their bytes, each with a position in whatever order the API goes by. It is
// kept in the cursor, so its size is bounded (limits::kSeenItemsMax, by who adds).
class SeenItems {
 public:
  // Of an item's bytes, eight by eight; the same in every version of millrace.
  static uint64_t hash(std::string_view item);
  // Of the same item once more in one response.
  static uint64_t hash_again(uint64_t hash);

  bool contains(uint64_t hash) const { return positions_.contains(hash); }
  void add(uint64_t hash, Int128 position) { positions_[hash] = position; }
  void clear() { positions_.clear(); }
  size_t size() const { return positions_.size(); }
  bool empty() const { return positions_.empty(); }
  // Removes or moves items: `keep` may change the position it is given; false removes.
  template <class Keep>
  void revise(Keep keep) {
    for (auto item = positions_.begin(); item != positions_.end();)
      item = keep(item->second) ? std::next(item) : positions_.erase(item);
  }

  // 48 hexadecimal digits an item; nullopt: not what to_text() wrote.
  std::string to_text() const;
  static std::optional<SeenItems> from_text(std::string_view text);

  friend bool operator==(const SeenItems&, const SeenItems&) = default;

 private:
  std::map<uint64_t, Int128> positions_;
};

}  // namespace millrace::source
