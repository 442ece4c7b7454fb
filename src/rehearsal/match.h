// Which row is meant by which wanted row.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spec/place.h"

namespace millrace::rehearsal {

// A column's position, and its value as JSON text.
using WantedCell = std::pair<size_t, std::string>;

struct WantedRow {
  spec::Place place;
  std::vector<WantedCell> cells;
};

// Values as JSON texts, by column.
using Row = std::vector<std::string>;

using Equal = std::function<bool(const WantedCell& wanted, const Row& row)>;

struct Match {
  std::vector<std::optional<size_t>> row_of;  // by wanted row
  std::vector<bool> exact;                    // by wanted row: all its cells are equal
};

// Gives as many wanted rows as possible a row of their own in which all wanted cells are equal, and
// to the others the row that is most like them, if any is. Cells of `key` columns count most.
Match match(const std::vector<WantedRow>& wanted, const std::vector<Row>& rows,
            const std::vector<size_t>& key, const Equal& equal);

}  // namespace millrace::rehearsal
