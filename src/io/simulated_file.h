// What the simulated disk keeps of one file: its bytes as programs see them, and as they are on the
// disk.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::io {

// Bytes with holes. Copies share their blocks until one of them writes.
class SparseBytes {
 public:
  static constexpr size_t kBlockBytes = 4'096;

  uint64_t size() const { return size_; }
  uint64_t block_count() const { return blocks_.size(); }
  size_t read(uint64_t position, char* to, size_t size) const;
  void write(uint64_t position, std::string_view bytes);
  void resize(uint64_t size);
  std::optional<uint64_t> next_data(uint64_t position) const;

 private:
  using Block = std::array<char, kBlockBytes>;
  Block& block_for_writing(uint64_t number);

  uint64_t size_ = 0;
  std::map<uint64_t, std::shared_ptr<Block>> blocks_;  // by position / kBlockBytes
};

// Not safe from several threads: the disk has a lock.
class SimulatedFile {
 public:
  const SparseBytes& bytes() const { return now_; }
  void write(uint64_t position, std::string_view bytes);
  void resize(uint64_t size);
  void allocate(uint64_t size);
  // Disk space it takes.
  uint64_t space() const;

  void sync();
  // As Linux does it: some of what was written reaches the disk; the rest stays readable, but no
  // later sync writes it.
  void fail_sync(std::mt19937_64& random);
  // Of what was not synced, the changes of the size keep their order and the newest are lost; each
  // write within the size that is left is there, or is not, or only some of its sectors are.
  void crash(std::mt19937_64& random);

  bool locked = false;
  // A crash leaves of what made the file longer a part from the front, as SimulatedDisk says.
  bool keeps_append_order = false;

 private:
  struct Change {
    bool is_write;
    uint64_t position = 0;
    std::string bytes;
    uint64_t size;   // of the file behind it
    bool sets_size;  // the size is another than before, or may be
  };
  void apply(const Change& change);

  SparseBytes now_;
  SparseBytes durable_;
  std::vector<Change> changes_;  // of now_ since durable_, the oldest first
  uint64_t reserved_ = 0;
};

}  // namespace millrace::io
