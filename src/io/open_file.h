// What is under a File: an open file, one call of the operating system at a time.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

namespace millrace::io {

// What one call gave, or its errno.
template <class T = void>
using Call = std::expected<T, int>;

// The file is closed when the object ends. Reads and writes may fall short, and any call may fail
// with EINTR: File carries on.
class OpenFile {
 public:
  virtual ~OpenFile() = default;

  virtual Call<size_t> read(uint64_t position, char* to, size_t size) = 0;  // 0: the file ends
  // `front`, and right behind it `rest`; returns how many bytes of both.
  virtual Call<size_t> write(uint64_t position, std::string_view front, std::string_view rest) = 0;
  virtual Call<> sync_data() = 0;
  // Disk space up to `size`, which the file then has. Not called to make a file shorter.
  virtual Call<> allocate(uint64_t size) = 0;
  virtual Call<> truncate(uint64_t size) = 0;
  // Makes all bytes before `size` zeros without giving their disk space back. EOPNOTSUPP: there is
  // no such call, and File writes them.
  virtual Call<> zero(uint64_t /*size*/) { return std::unexpected(EOPNOTSUPP); }
  virtual Call<uint64_t> size() = 0;
  virtual Call<std::optional<uint64_t>> next_data(uint64_t position) = 0;
  // False: somebody else has the lock. Dropped when the file is closed.
  virtual Call<bool> try_lock() = 0;
};

}  // namespace millrace::io
