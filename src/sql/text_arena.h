// Texts that vectors point at, kept until their chunk is consumed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace millrace::sql {

// What it gives stays where it is until clear().
class TextArena {
 public:
  // Room for `size` bytes, which take() then claims as far as they were used.
  uint8_t* reserve(size_t size) {
    if (blocks_.empty() || used_ + size > blocks_.back().size()) {
      blocks_.emplace_back(std::max(size, kBlockBytes));
      used_ = 0;
    }
    return blocks_.back().data() + used_;
  }
  void take(size_t size) { used_ += size; }

  std::string_view keep(std::string_view text) {
    char* to = reinterpret_cast<char*>(reserve(text.size()));
    text.copy(to, text.size());
    take(text.size());
    return {to, text.size()};
  }

  // Keeps one block's memory.
  void clear() {
    if (blocks_.size() > 1) blocks_.erase(blocks_.begin() + 1, blocks_.end());
    used_ = 0;
  }

 private:
  static constexpr size_t kBlockBytes = size_t{64} << 10;
  std::vector<std::vector<uint8_t>> blocks_;
  size_t used_ = 0;
};

}  // namespace millrace::sql
