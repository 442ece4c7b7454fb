#include "rehearsal/match.h"

#include <algorithm>

namespace millrace::rehearsal {
namespace {

constexpr size_t kKeyWeight = 1'000;

// Kuhn's algorithm: a wanted row that finds its row taken asks the taker to find another.
class Pairing {
 public:
  Pairing(const std::vector<std::vector<size_t>>& candidates, size_t rows)
      : candidates_(candidates), wanted_of_(rows), asked_(rows) {}

  std::vector<std::optional<size_t>> row_of() {
    for (size_t wanted = 0; wanted < candidates_.size(); ++wanted) {
      asked_.assign(asked_.size(), false);
      place(wanted);
    }
    std::vector<std::optional<size_t>> row_of(candidates_.size());
    for (size_t row = 0; row < wanted_of_.size(); ++row)
      if (wanted_of_[row]) row_of[*wanted_of_[row]] = row;
    return row_of;
  }

 private:
  bool place(size_t wanted) {
    for (size_t row : candidates_[wanted]) {
      if (asked_[row]) continue;
      asked_[row] = true;
      if (wanted_of_[row] && !place(*wanted_of_[row])) continue;
      wanted_of_[row] = wanted;
      return true;
    }
    return false;
  }

  const std::vector<std::vector<size_t>>& candidates_;
  std::vector<std::optional<size_t>> wanted_of_;  // by row
  std::vector<bool> asked_;                       // by row
};

}  // namespace

Match match(const std::vector<WantedRow>& wanted, const std::vector<Row>& rows,
            const std::vector<size_t>& key, const Equal& equal) {
  auto likeness = [&](const WantedRow& want, const Row& row) {
    size_t sum = 0;
    for (const auto& cell : want.cells)
      if (equal(cell, row)) sum += std::ranges::find(key, cell.first) == key.end() ? 1 : kKeyWeight;
    return sum;
  };
  std::vector<std::vector<size_t>> candidates(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    for (size_t j = 0; j < rows.size(); ++j)
      if (std::ranges::all_of(wanted[i].cells,
                              [&](const auto& cell) { return equal(cell, rows[j]); }))
        candidates[i].push_back(j);

  Match match{.row_of = Pairing(candidates, rows.size()).row_of(), .exact = {}};
  std::vector<bool> taken(rows.size());
  for (const auto& row : match.row_of) {
    match.exact.push_back(row.has_value());
    if (row) taken[*row] = true;
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    size_t best = 0;
    for (size_t j = 0; j < rows.size() && !match.exact[i]; ++j) {
      size_t like = taken[j] ? 0 : likeness(wanted[i], rows[j]);
      if (like <= best) continue;
      best = like;
      match.row_of[i] = j;
    }
    if (match.row_of[i]) taken[*match.row_of[i]] = true;
  }
  // One of each that are left are meant for each other, however different.
  auto is_alone = [](const auto& row) { return !row; };
  bool one_wanted = std::ranges::count_if(match.row_of, is_alone) == 1;
  if (one_wanted && std::ranges::count(taken, false) == 1)
    *std::ranges::find_if(match.row_of, is_alone) =
        static_cast<size_t>(std::ranges::find(taken, false) - taken.begin());
  return match;
}

}  // namespace millrace::rehearsal
