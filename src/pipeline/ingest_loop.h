// A source's loop: fetch a page, choose what is new, select, append with the cursor, wait, again.
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

  // `once`: one run, as long as `for:` says, else to the end of a pass (see source::Pager); the
  // error of its last request where it failed too often in a row, or in a way that trying again
  // does not mend (kInvalid). Otherwise until stop.
  Result<void> run(bool once, std::stop_token stop);

  SourceStatus status() const;

 private:
  struct Page {
    bool has_items = false;  // new ones
    bool is_last = false;    // of the pass
  };
  using Answer = source::AnswerReader::Answer;
  Result<Page> take_page(std::stop_token stop);
  // Puts an answer's new items into items_, and what is wrong with them already into failures_.
  void choose_items(const Answer& answer, const source::Pager::Step& step);
  // Writes items_, and the cursor behind them.
  Result<void> keep_items(source::Cursor& next);
  Result<sql::Transform::Counts> run_select();
  Result<void> write_dead_letters(int64_t sequence, int64_t timestamp_ms);
  // The clock's time, or that of the topic's last record where the clock was set back: the table
  // keeps the row of the latest record.
  int64_t page_timestamp_ms();
  void warn_without_value(const source::Pager::Step& step, size_t item_count);
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
  source::AnswerReader reader_;
  source::Pager pager_;
  topic::PageWriter writer_;
  DeadLetterWriter dead_letters_;
  bool dead_letters_known_ = false;  // those of pages that are not in the topic
  int64_t last_timestamp_ms_ = 0;    // of the topic's records
  bool warned_without_value_ = false;
  std::vector<std::string_view> items_;
  std::vector<sql::Failure> failures_;

  NodeHealth health_;
  mutable Rate rate_;
  mutable std::mutex cursor_mutex_;
  source::Cursor cursor_;
};

}  // namespace millrace::pipeline
