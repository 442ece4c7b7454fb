// Where a source goes on: the cursor of its newest page.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/disk.h"
#include "log/log.h"
#include "source/cursor.h"

namespace millrace::pipeline {

// A cursor, and the source whose it is.
struct SourceCursor {
  std::string source;
  source::Cursor cursor;
};

// What a record's header or a file says. Errors: kCorrupt.
Result<SourceCursor> parse_source_cursor(std::string_view text);

// Where the cursors of pages that left no record are, each in a file TOPIC.json.
struct CursorFolder {
  io::Disk* disk = nullptr;
  std::string path;
};

// Takes back the newest page of a source, where a crash left only a part of it. Before anyone reads
// the topic; a log for reading only passes over it.
Result<void> recover_page(log::Topic& topic);

// A page's cursor stands beside its records in the topic. A page that left none has it in its
// topic's file. The newer of the two; nullopt where there is neither.
Result<std::optional<SourceCursor>> find_cursor(log::Topic& topic, const CursorFolder& folder);

// The same where it is this source's. Errors: kConflict (another source fed the topic).
Result<std::optional<source::Cursor>> cursor_of(const std::string& source, log::Topic& topic,
                                                const CursorFolder& folder);

// Keeps the cursor of a page that left no record, durably.
Result<void> keep_cursor(const log::Topic& topic, const CursorFolder& folder,
                         const SourceCursor& cursor);

}  // namespace millrace::pipeline
