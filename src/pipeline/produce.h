// Records put into a topic by hand.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/clock.h"
#include "log/log.h"
#include "pipeline/node.h"
#include "pipeline/source_cursor.h"
#include "topic/page_writer.h"

namespace millrace::pipeline {

class Instance;

// JSON objects, one a line; blank lines say nothing.
struct Lines {
  std::string_view text;  // with sql::kJsonPadding readable bytes behind it
  int64_t first = 1;      // the number of its first line, for messages
  // Each has the topic's key columns, and makes a record of that key without a value; what else it
  // has is passed over.
  bool are_tombstones = false;
};

struct Produced {
  int64_t records = 0;
  std::vector<topic::Appended> partitions;  // those that got any
};

// Appends the records of all lines, or of none. On disk when it returns; after a crash before that
// all are there or none. Whether a pipeline runs or not: a source's page and these records do not
// come between each other.
// Errors: kInvalid ("line 3: …": no JSON, no value of a column, a field that is no column, no whole
// key), kNotFound (no such topic), kLimit, what the log says.
Result<Produced> produce(Instance& instance, std::string_view topic, const Lines& lines);

// Puts the records of lines into the page that was begun. Errors: as above.
Result<void> read_lines(const topic::TopicDefinition& topic, const Lines& lines,
                        topic::PageWriter& writer);
// What `writer` appended last.
Produced produced_by(const topic::PageWriter& writer);

// Appends to a topic that no source feeds now. What one fed before, it goes on from when it is
// back: its cursor is in each page that is made here. A topic that none ever fed has a cursor too,
// which belongs to no source and counts its pages.
class Producer {
 public:
  // All given here outlive it. Nobody else appends to the topic. Errors: kCorrupt, kIo.
  static Result<std::unique_ptr<Producer>> open(log::Log& log, log::Topic& topic,
                                                const CursorFolder& cursor_folder,
                                                io::Clock& clock);
  // From any thread.
  Result<Produced> produce(const Lines& lines);

 private:
  Producer(log::Topic& topic, topic::TopicDefinition definition, SourceCursor cursor,
           int64_t last_timestamp_ms, io::Clock& clock);

  const topic::TopicDefinition definition_;
  io::Clock& clock_;
  Turns turns_;  // for what follows
  topic::PageWriter writer_;
  SourceCursor cursor_;
  int64_t last_timestamp_ms_;
};

}  // namespace millrace::pipeline
