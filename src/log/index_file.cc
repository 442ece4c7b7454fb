#include "log/index_file.h"

#include "base/bytes.h"
#include "base/checksum.h"

namespace millrace::log {
namespace {

constexpr size_t kCheckedBytes = 20;
constexpr size_t kIndexBytesMax = size_t{64} << 20;

void append_row(std::string& to, const IndexRow& row) {
  size_t begin = to.size();
  append_be(to, row.base_offset.value);
  append_be(to, row.position);
  append_be(to, row.max_timestamp_ms);
  append_be(to, crc32c(std::string_view(to).substr(begin)));
}

}  // namespace

Result<std::vector<IndexRow>> IndexFile::load(io::Disk& disk, const std::string& path) {
  std::vector<IndexRow> rows;
  auto bytes = disk.read_file(path, kIndexBytesMax);
  if (!bytes && bytes.error().code() == ErrorCode::kNotFound) return rows;
  if (!bytes) return std::unexpected(std::move(bytes).error());
  std::string_view rest = *bytes;
  rows.reserve(rest.size() / kRowBytes);
  for (; rest.size() >= kRowBytes; rest.remove_prefix(kRowBytes)) {
    ByteReader reader(rest.substr(0, kRowBytes));
    IndexRow row;
    row.base_offset = Offset(reader.be<int64_t>());
    row.position = reader.be<uint32_t>();
    row.max_timestamp_ms = reader.be<int64_t>();
    if (reader.be<uint32_t>() != crc32c(rest.substr(0, kCheckedBytes))) break;
    if (!rows.empty() &&
        (row.base_offset <= rows.back().base_offset || row.position <= rows.back().position))
      break;
    rows.push_back(row);
  }
  return rows;
}

Result<IndexFile> IndexFile::open(io::Disk& disk, const std::string& path, size_t rows) {
  auto file = MR_TRY(disk.open(path, io::File::Mode::kOpenOrCreate));
  if (MR_TRY(file.size()) != rows * kRowBytes) {
    MR_TRY(file.truncate(rows * kRowBytes));
    MR_TRY(file.sync_data());
  }
  return IndexFile(std::move(file), rows);
}

Result<void> IndexFile::append(std::span<const IndexRow> rows) {
  std::string bytes;
  for (const auto& row : rows) append_row(bytes, row);
  MR_TRY(file_.write_at(row_count_ * kRowBytes, bytes));
  row_count_ += rows.size();
  return {};
}

}  // namespace millrace::log
