#include "log/cut.h"

#include "log/batch_scan.h"
#include "log/segment.h"

namespace millrace::log {
namespace {

// What of a segment is before `end`.
Result<uint64_t> bytes_before(const io::File& file, const std::vector<IndexRow>& rows, Offset base,
                              Offset end) {
  IndexRow from{.base_offset = base};
  for (const auto& row : rows)
    if (row.base_offset <= end) from = row;
  uint64_t size = MR_TRY(file.size());
  BatchScan scan(file, from.position, from.base_offset, size);
  while (scan.expected() < end) {
    Offset begin = scan.expected();
    auto header = MR_TRY(scan.next());
    if (!header)
      return fail(ErrorCode::kCorrupt, "{} is damaged at byte {}, before offset {}: {}",
                  file.path(), scan.position(), end, scan.why_stopped());
    if (scan.expected() > end)
      return fail(ErrorCode::kInvalid,
                  "a partition is cut between batches, and the one that has offset {} begins at "
                  "offset {}",
                  end, begin);
  }
  return scan.position();
}

}  // namespace

Result<void> cut_partition(io::Disk& disk, const std::string& folder, Offset end) {
  auto bases = MR_TRY(Segment::bases_in(disk, folder));
  if (end < bases.front())
    return fail(ErrorCode::kNotFound, "offset {} is not in {}, which begins at {}", end, folder,
                bases.front());
  size_t kept = bases.size();
  while (kept > 1 && bases[kept - 1] >= end) --kept;
  Offset base = bases[kept - 1];
  auto index_path = Segment::index_path_of(folder, base);
  auto rows = MR_TRY(IndexFile::load(disk, index_path));
  auto file = MR_TRY(disk.open(Segment::path_of(folder, base), io::File::Mode::kReadWrite));
  uint64_t bytes = MR_TRY(bytes_before(file, rows, base, end));

  // From the last on, one by one: a crash in between leaves a shorter log without a gap.
  for (; bases.size() > kept; bases.pop_back())
    MR_TRY(Segment::remove(disk, folder, bases.back(), false));
  // Rows promise that what is before them is on disk, so they go first, durably.
  std::erase_if(rows, [&](const IndexRow& row) { return row.position > bytes; });
  MR_TRY(IndexFile::open(disk, index_path, rows.size()));
  MR_TRY(file.truncate(bytes));
  return file.sync_data();
}

}  // namespace millrace::log
