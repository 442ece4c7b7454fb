// Dead letters taken again, by what the pipeline's file says now.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "pipeline/dead_letter_list.h"
#include "pipeline/dead_letters.h"
#include "pipeline/open_dead_letters.h"
#include "record/record.h"

namespace millrace::pipeline {

class Instance;

// A record that was refused once more: it stays the dead letter that it is.
struct StillFailing {
  std::string address;
  std::string error;
};

// What became of dead letters. Those written or filtered are open no longer.
struct Redriven {
  int64_t written = 0;
  int64_t filtered = 0;
  int64_t not_open = 0;  // they were redriven before, or their records taken after all
  std::vector<StillFailing> failing;

  int64_t count() const {
    return written + filtered + not_open + static_cast<int64_t>(failing.size());
  }
  void add(Redriven other);
};

// Dead letters as records that a node can take, each with its original timestamp. Borrows from
// the letters.
class LettersAsRecords {
 public:
  explicit LettersAsRecords(std::span<const DeadLetter* const> letters);
  std::span<const record::RecordView> records() const { return records_; }
  // In step with the records; each followed by sql::kJsonPadding readable bytes.
  std::span<const std::optional<std::string_view>> values() const { return values_; }

 private:
  std::string texts_;
  std::vector<record::RecordView> records_;
  std::vector<std::optional<std::string_view>> values_;
};

struct RedriveStep {
  Redriven done;
  std::optional<DeadLetterPosition> next;  // nullopt: that was the last step
};
// Takes the oldest open dead letters of filter.node that the filter lets through, as many as make
// one batch; the first step decides how far the last one goes, so none is tried twice. Rows, the
// mark that these dead letters are no longer open, and counts are one write: taking them again
// changes nothing, and a redrive that was interrupted is begun again and finds the rest. One whose
// value stands in a file that cannot be read is among those still failing. The pipeline of
// `instance` runs or is prepared.
// Errors: kNotFound (no such node in the pipeline file), what the node's write says.
Result<RedriveStep> redrive(Instance& instance, const DeadLetterFilter& filter,
                            const std::optional<DeadLetterPosition>& from);

// Takes these dead letters, in as many steps; `value` stands in the place of what the only one of
// them holds. Errors: as above; kInvalid, kNotFound (of an address; then none is taken).
Result<Redriven> redrive(Instance& instance, std::span<const std::string> addresses,
                         const std::optional<std::string>& value);

}  // namespace millrace::pipeline
