// Bytes are std::string (owned) and std::string_view (borrowed) everywhere in this project: that
// is what JSON, Kafka strings, RocksDB slices and sockets all turn into without a copy.
// Here: fixed-width numbers in big-endian order (Kafka, CQL and every format of ours), and varints.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace millrace {

template <std::integral T>
constexpr T to_big_endian(T value) {
  if constexpr (sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  } else {
    static_assert(sizeof(T) == 8);
    return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  }
}

template <std::integral T>
void store_be(char* to, T value) {
  value = to_big_endian(value);
  std::memcpy(to, &value, sizeof value);
}

template <std::integral T>
T load_be(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return to_big_endian(value);
}

template <std::integral T>
void append_be(std::string& to, T value) {
  value = to_big_endian(value);
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Zigzag: small magnitudes of either sign become small unsigned numbers (Kafka, Protobuf).
constexpr uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Base-128 varints, low group first, at most 10 bytes.
void append_varint(std::string& to, uint64_t value);
// Bytes that append_varint writes for a value: 1 to 10.
constexpr size_t varint_size(uint64_t value) {
  return static_cast<size_t>(std::bit_width(value | 1) + 6) / 7;
}

// Reads a run of bytes from front to back. A read past the end sets failed() and yields zeros or
// empty views, so a parser checks once at its end. Never touches a byte outside the view.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <std::integral T>
  T be() {
    if (bytes_.size() - position_ < sizeof(T)) return fail(), T{};
    T value = load_be<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return value;
  }
  uint64_t varint();
  int64_t zigzag_varint() { return unzigzag(varint()); }
  std::string_view take(size_t count) {
    if (bytes_.size() - position_ < count) return fail(), std::string_view{};
    auto taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }

  bool failed() const { return failed_; }
  bool at_end() const { return position_ == bytes_.size(); }
  size_t position() const { return position_; }
  std::string_view rest() const { return bytes_.substr(position_); }

 private:
  void fail() {
    failed_ = true;
    position_ = bytes_.size();
  }

  std::string_view bytes_;
  size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace millrace
