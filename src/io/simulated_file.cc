#include "io/simulated_file.h"

#include <algorithm>
#include <utility>

namespace millrace::io {
namespace {

constexpr uint64_t kSectorBytes = 512;  // what a disk writes whole or not at all

uint64_t below(std::mt19937_64& random, uint64_t end) {
  return random() % end;
}

// Writes what a crash leaves of one write, none of it behind `end`.
void write_in_part(SparseBytes& to, uint64_t position, std::string_view bytes, uint64_t end,
                   std::mt19937_64& random) {
  enum Fate { kKept, kLost, kTorn };
  auto fate = static_cast<Fate>(below(random, 3));
  if (position >= end || fate == kLost) return;
  bytes = bytes.substr(0, static_cast<size_t>(end - position));
  while (!bytes.empty()) {
    auto size = std::min<size_t>(bytes.size(), kSectorBytes - position % kSectorBytes);
    if (fate == kKept || below(random, 2) == 0) to.write(position, bytes.substr(0, size));
    position += size;
    bytes.remove_prefix(size);
  }
}

}  // namespace

size_t SparseBytes::read(uint64_t position, char* to, size_t size) const {
  if (position >= size_) return 0;
  size = static_cast<size_t>(std::min<uint64_t>(size, size_ - position));
  for (size_t done = 0; done < size;) {
    uint64_t at = position + done;
    auto offset = static_cast<size_t>(at % kBlockBytes);
    size_t count = std::min(size - done, kBlockBytes - offset);
    auto block = blocks_.find(at / kBlockBytes);
    if (block == blocks_.end()) {
      std::fill_n(to + done, count, '\0');
    } else {
      std::copy_n(block->second->data() + offset, count, to + done);
    }
    done += count;
  }
  return size;
}

SparseBytes::Block& SparseBytes::block_for_writing(uint64_t number) {
  auto& block = blocks_[number];
  if (!block) {
    block = std::make_shared<Block>();
  } else if (block.use_count() > 1) {
    block = std::make_shared<Block>(*block);
  }
  return *block;
}

void SparseBytes::write(uint64_t position, std::string_view bytes) {
  size_ = std::max<uint64_t>(size_, position + bytes.size());
  while (!bytes.empty()) {
    auto offset = static_cast<size_t>(position % kBlockBytes);
    size_t count = std::min(bytes.size(), kBlockBytes - offset);
    std::copy_n(bytes.data(), count, block_for_writing(position / kBlockBytes).data() + offset);
    position += count;
    bytes.remove_prefix(count);
  }
}

void SparseBytes::resize(uint64_t size) {
  if (size < size_) {
    blocks_.erase(blocks_.lower_bound((size + kBlockBytes - 1) / kBlockBytes), blocks_.end());
    auto left = static_cast<size_t>(size % kBlockBytes);
    if (left > 0 && blocks_.contains(size / kBlockBytes)) {
      auto& last = block_for_writing(size / kBlockBytes);
      std::fill(last.begin() + left, last.end(), '\0');
    }
  }
  size_ = size;
}

std::optional<uint64_t> SparseBytes::next_data(uint64_t position) const {
  if (position >= size_) return std::nullopt;
  auto block = blocks_.lower_bound(position / kBlockBytes);
  if (block == blocks_.end()) return std::nullopt;
  return std::max(position, block->first * kBlockBytes);
}

void SimulatedFile::write(uint64_t position, std::string_view bytes) {
  bool sets_size = position + bytes.size() > now_.size();
  now_.write(position, bytes);
  changes_.push_back({true, position, std::string(bytes), now_.size(), sets_size});
}

void SimulatedFile::resize(uint64_t size) {
  now_.resize(size);
  reserved_ = std::min(reserved_, size);
  changes_.push_back({false, 0, {}, size, true});
}

void SimulatedFile::allocate(uint64_t size) {
  resize(size);
  reserved_ = size;
}

uint64_t SimulatedFile::space() const {
  return std::max(reserved_, now_.block_count() * SparseBytes::kBlockBytes);
}

void SimulatedFile::apply(const Change& change) {
  if (change.is_write) {
    durable_.write(change.position, change.bytes);
  } else {
    durable_.resize(change.size);
  }
}

void SimulatedFile::sync() {
  for (const auto& change : std::exchange(changes_, {})) apply(change);
}

void SimulatedFile::fail_sync(std::mt19937_64& random) {
  for (const auto& change : std::exchange(changes_, {})) {
    if (change.is_write && below(random, 2) == 0) {
      if (change.sets_size) durable_.resize(change.size);
    } else {
      apply(change);
    }
  }
}

void SimulatedFile::crash(std::mt19937_64& random) {
  auto changes = std::exchange(changes_, {});
  auto sizes = static_cast<uint64_t>(std::ranges::count(changes, true, &Change::sets_size));
  uint64_t sizes_kept = below(random, sizes + 1);
  for (const auto& change : changes) {
    const bool is_kept = change.sets_size && sizes_kept > 0;
    if (is_kept) {
      durable_.resize(change.size);
      --sizes_kept;
    }
    if (is_kept && change.is_write && keeps_append_order)
      durable_.write(change.position, change.bytes);
    else if (change.is_write)
      write_in_part(durable_, change.position, change.bytes, durable_.size(), random);
  }
  now_ = durable_;
  reserved_ = std::min(reserved_, now_.size());
  locked = false;
}

}  // namespace millrace::io
