// Avro's binary encoding, primitive by primitive. Inside sql/ only.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace millrace::sql {

// Reads from front to back and never past the end; each false: the bytes are none of that kind.
class AvroReader {
 public:
  AvroReader() = default;
  explicit AvroReader(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  size_t position() const { return static_cast<size_t>(at_ - begin_); }
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  // int and long: zigzag varints.
  bool read(int64_t& number) {
    uint64_t bits = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at_ == end_) return false;
      auto byte = static_cast<unsigned char>(*at_++);
      if (shift == 63 && byte > 1) return false;
      bits |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) != 0) continue;
      number = static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
      return true;
    }
    return false;
  }
  bool take(uint64_t size, std::string_view& bytes) {
    if (size > left()) return false;
    bytes = {at_, size};
    at_ += size;
    return true;
  }
  // string and bytes: a long, then so many bytes.
  bool read(std::string_view& bytes) {
    int64_t size = 0;
    return read(size) && size >= 0 && take(static_cast<uint64_t>(size), bytes);
  }
  // float and double: little endian.
  template <class T>
  bool read_floating(T& number) {
    std::string_view bytes;
    if (!take(sizeof(T), bytes)) return false;
    std::memcpy(&number, bytes.data(), sizeof(T));
    return true;
  }
  // The number of elements of the next block of an array or map; 0: it ends. Each element takes a
  // byte at least, or there would be no end to what a few bytes can ask for.
  bool read_block(uint64_t& count) {
    int64_t written = 0;
    if (!read(written)) return false;
    if (written < 0) {
      int64_t bytes = 0;
      if (written == INT64_MIN || !read(bytes)) return false;
      written = -written;
    }
    count = static_cast<uint64_t>(written);
    return count <= left();
  }

 private:
  const char* begin_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
};

}  // namespace millrace::sql
