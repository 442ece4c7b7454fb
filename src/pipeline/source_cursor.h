// Where a source goes on: the cursor of its newest page.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "log/log.h"
#include "source/cursor.h"

namespace millrace::pipeline {

// A cursor, and the source whose it is.
struct SourceCursor {
  std::string source;
  source::Cursor cursor;
};

// A page's cursor stands beside its records in the topic. A page that left none has it in the
// file FOLDER/TOPIC.json. The newer of the two; nullopt where there is neither.
Result<std::optional<SourceCursor>> find_cursor(log::Topic& topic, const std::string& folder);

// Keeps the cursor of a page that left no record, durably.
Result<void> keep_cursor(const log::Topic& topic, const std::string& folder,
                         const SourceCursor& cursor);

}  // namespace millrace::pipeline
