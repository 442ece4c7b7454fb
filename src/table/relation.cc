#include "table/relation.h"

#include "sql/text_arena.h"
#include "table/cell.h"

namespace millrace::table {
namespace {

class TableScan : public sql::RelationScan {
 public:
  explicit TableScan(store::Scan scan) : scan_(std::move(scan)) {}

  Result<size_t> fill(std::span<sql::VectorWriter> writers) override {
    texts_.clear();
    size_t row = 0;
    for (; row < sql::kChunkRows && MR_TRY(scan_.next()); ++row) {
      for (size_t i = 0; i < writers.size(); ++i) {
        auto cell = scan_.value(i);
        if (!cell)
          writers[i].set_null(row);
        else
          MR_TRY(from_cell(texts_.keep(*cell), writers[i], row));
      }
    }
    return row;
  }

 private:
  store::Scan scan_;
  sql::TextArena texts_;
};

// The token ring from INT64_MIN to INT64_MAX, cut into `parts`.
store::TokenRange part_of_ring(size_t part, size_t parts) {
  auto boundary = [&](size_t i) {
    uint64_t step = UINT64_MAX / parts;
    return static_cast<int64_t>((step * i) ^ (uint64_t{1} << 63));
  };
  return {.after = part == 0 ? INT64_MIN : boundary(part),
          .up_to = part + 1 == parts ? INT64_MAX : boundary(part + 1)};
}

}  // namespace

Result<std::unique_ptr<sql::RelationScan>> TableRelation::open(std::span<const uint32_t> columns,
                                                               size_t part) const {
  return std::make_unique<TableScan>(
      MR_TRY(store_.scan(table_, columns, part_of_ring(part, kParts))));
}

}  // namespace millrace::table
