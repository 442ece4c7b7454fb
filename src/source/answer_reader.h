// What a response says: its items, and what leads to the next page.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "source/fetcher.h"
#include "spec/spec.h"
#include "sql/csv_split.h"
#include "sql/json_split.h"

namespace millrace::source {

// One per source; one thread.
class AnswerReader {
 public:
  explicit AnswerReader(const spec::SourceSpec& spec) : spec_(spec), csv_(spec.columns) {}

  // Valid until the next read, and as long as the response.
  struct Answer {
    std::span<const std::string_view> items;  // JSON texts; of bad ones, their bytes
    std::span<const sql::BadRow> bad;         // by item
    std::string next;                         // see next_address(); empty: nothing
  };
  // Errors: kCorrupt where the response as a whole cannot be read: none of the formats, malformed
  // or cut off, no items where they should be, and what leads to the next page in what is no JSON.
  // kInvalid: a next page on another server.
  Result<Answer> read(const Response& response);

 private:
  Result<Answer> read_body(const Response& response);
  Result<Answer> read_items(const Response& response, spec::Format format);
  Result<std::string> cursor_in(spec::Format format);

  spec::SourceSpec spec_;
  sql::ItemSplitter json_;
  sql::CsvSplitter csv_;
  std::vector<std::string_view> lines_;
};

}  // namespace millrace::source
