// A source's loop: fetch a page, choose what is new, select, append with the cursor, wait, again.
#pragma once

#include <functional>
#include <mutex>
#include <stop_token>

#include "base/error.h"
#include "base/logger.h"
#include "io/clock.h"
#include "log/log.h"
#include "pipeline/dead_letter_share.h"
#include "pipeline/dead_letters.h"
#include "pipeline/node.h"
#include "pipeline/plan.h"
#include "pipeline/produce.h"
#include "pipeline/redrive.h"
#include "pipeline/source_cursor.h"
#include "pipeline/source_ledger.h"
#include "source/source.h"
#include "topic/page_writer.h"

namespace millrace::pipeline {

// Made, prepared and run by one thread; redrive(), produce(), letters() and status() from any.
class IngestLoop {
 public:
  IngestLoop(SourcePlan plan, log::Log& log, log::Topic& topic, CursorFolder cursor_folder,
             Logger& logger, io::Clock& clock);

  // Finds the cursor, and takes back the dead letters of a page after it. Before anyone reads them.
  // Errors: kIo too where an earlier loop of this process left a page that may be there.
  Result<void> recover();

  // `once`: one run, as long as `for:` says, else to the end of a pass (see source::Pager); the
  // error of its last request where it failed too often in a row, or in a way that trying again
  // does not mend (kInvalid). Otherwise until stop. Also ends with an error after a page with which
  // more items are refused than the file allows.
  Result<void> run(bool once, std::stop_token stop);

  // Takes dead letters of this source, each once, between two pages: their records are a page of
  // their own, without a request.
  Result<Redriven> redrive(std::span<const DeadLetter> letters);
  SourceLetters letters() const;

  // Appends records that are put in by hand, between two pages.
  Result<Produced> produce(const Lines& lines);

  log::Topic& topic() const { return topic_; }
  const std::string& name() const { return plan_.spec.name; }
  const SourcePlan& plan() const { return plan_; }
  SourceStatus status() const;

 private:
  struct Page {
    bool has_items = false;  // new ones
    bool is_last = false;    // of the pass
  };
  using Answer = source::AnswerReader::Answer;
  Result<void> take_pages(bool once, std::stop_token stop);
  Result<Page> take_page(std::stop_token stop);
  // Before a page is written: finds out what an error left of the one before.
  Result<void> begin_page();
  Result<source::Request> next_request();
  // Puts an answer's new items into items_, and what is wrong with them already into failures_.
  void choose_items(const Answer& answer, const source::Pager::Step& step);
  Result<sql::Transform::Counts> make_rows(std::vector<std::optional<std::string_view>> items,
                                           const std::function<void()>& begin);
  // Writes items_, and the cursor behind them.
  Result<void> keep_items(source::Cursor& next);
  Result<void> write_page(const source::Cursor& next);
  void finish_items();
  Result<void> check_share();
  Result<void> write_dead_letters(int64_t sequence, int64_t timestamp_ms);
  Result<std::string> keep_if_large(std::string_view item);
  void show_dead_letters();
  // The clock's time, or that of the topic's last record where the clock was set back: the table
  // keeps the row of the latest record.
  int64_t page_timestamp_ms();
  void warn_without_value(const source::Pager::Step& step, size_t item_count);
  bool run_is_over(Page page, int64_t started_micros) const;
  // Waits before the next try; false when asked to stop.
  bool wait_after(const Error& error, std::stop_token stop);
  Result<void> find_place();
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
  int64_t last_timestamp_ms_ = 0;  // of the topic's records
  bool warned_without_value_ = false;
  std::vector<std::string_view> items_;

  Turns turns_;  // for what follows, up to failures_, and writing cursor_ and ledger_
  topic::PageWriter writer_;
  DeadLetterWriter dead_letters_;
  bool has_unfinished_page_ = false;  // begun, and what became of it is not known
  std::vector<sql::Failure> failures_;
  DeadLetterShare share_;
  std::optional<Error> too_many_;  // were refused, of the last records

  NodeHealth health_;
  mutable Rate rate_;
  mutable std::mutex cursor_mutex_;
  source::Cursor cursor_;
  source::Cursor kept_;  // the one on disk; between turns it may be behind
  SourceLedger ledger_;
  int64_t letters_end_ = 0;  // those of pages that are in the topic
};

}  // namespace millrace::pipeline
