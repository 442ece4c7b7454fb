// Records that go into a Transform in memory, and rows that come out.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rehearsal/match.h"
#include "sql/transform.h"

namespace millrace::rehearsal {

// JSON texts with the padding that decoding needs.
class PaddedRecords {
 public:
  explicit PaddedRecords(std::span<const std::string> texts);
  // Valid as long as this.
  std::span<const std::optional<std::string_view>> views() const { return views_; }

 private:
  std::string bytes_;
  std::vector<std::optional<std::string_view>> views_;
};

// Keeps every row.
class PlayedRows : public sql::TransformOutput {
 public:
  Result<void> rows(const sql::Rows& rows, std::span<const int32_t> record_of,
                    std::span<const uint8_t> keep) override;

  std::vector<Row> played;
  std::vector<size_t> record_of;  // by row
};

}  // namespace millrace::rehearsal
