// A source's loop: fetch a page, select, append with the cursor, wait, again.
#pragma once

#include <mutex>
#include <stop_token>

#include "base/error.h"
#include "base/logger.h"
#include "io/clock.h"
#include "log/log.h"
#include "pipeline/dead_letters.h"
#include "pipeline/node.h"
#include "pipeline/plan.h"
#include "pipeline/source_cursor.h"
#include "source/source.h"
#include "sql/json_split.h"
#include "topic/page_writer.h"

namespace millrace::pipeline {

// Made, prepared and run by one thread; status() from any.
class IngestLoop {
 public:
  IngestLoop(SourcePlan plan, log::Log& log, log::Topic& topic, CursorFolder cursor_folder,
             Logger& logger, io::Clock& clock);

  // Undoes a page that a crash left half-written and finds the cursor. Before anyone reads the
  // topic.
  Result<void> recover();

  // `once`: one run, as long as `for:` says, else until a page has no items, else one request;
  // the error of its last request where it failed too often in a row, or in a way that trying
  // again does not mend (kInvalid). Otherwise until stop.
  Result<void> run(bool once, std::stop_token stop);

  SourceStatus status() const;

 private:
  enum class Page { kItems, kNoItems };
  Result<Page> take_page(std::stop_token stop);
  Result<void> write_dead_letters(std::span<const sql::Failure> failures, int64_t sequence,
                                  int64_t timestamp_ms);
  bool run_is_over(Page page, int64_t started_micros) const;
  // Waits before the next try; false when asked to stop.
  bool wait_after(const Error& error, std::stop_token stop);
  void set_cursor(const source::Cursor& cursor);

  SourcePlan plan_;
  log::Topic& topic_;
  const CursorFolder cursor_folder_;
  Logger& logger_;
  io::Clock& clock_;
  source::Fetcher fetcher_;
  source::Backoff backoff_;
  sql::ItemSplitter splitter_;
  topic::PageWriter writer_;
  DeadLetterWriter dead_letters_;
  bool dead_letters_known_ = false;  // those of pages that are not in the topic
  std::vector<std::optional<std::string_view>> items_;
  std::vector<sql::Failure> failures_;

  NodeHealth health_;
  mutable Rate rate_;
  mutable std::mutex cursor_mutex_;
  source::Cursor cursor_;
};

}  // namespace millrace::pipeline
