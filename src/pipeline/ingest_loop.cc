#include "pipeline/ingest_loop.h"

#include <algorithm>
#include <functional>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"

namespace millrace::pipeline {
namespace {

// Failed requests in a row that end a `once` run.
constexpr int kAttemptsOfOneRun = 5;

// Longer ones are not worth keeping.
constexpr size_t kValidatorBytesMax = 1'000;

// For the same request in future, even after a restart.
void keep_validators(const source::Request& request, const source::Response& response,
                     source::Cursor& cursor) {
  cursor.asked = request.fingerprint;
  auto kept = [](const std::string& validator) {
    return validator.size() <= kValidatorBytesMax && is_utf8(validator) ? validator : "";
  };
  cursor.etag = kept(response.etag);
  cursor.last_modified = kept(response.last_modified);
}

}  // namespace

IngestLoop::IngestLoop(SourcePlan plan, log::Log& log, log::Topic& topic,
                       CursorFolder cursor_folder, Logger& logger, io::Clock& clock)
    : plan_(std::move(plan)),
      topic_(topic),
      cursor_folder_(std::move(cursor_folder)),
      logger_(logger),
      clock_(clock),
      fetcher_(plan_.spec.http),
      backoff_(std::hash<std::string>()(plan_.spec.name)),
      reader_(plan_.spec),
      pager_(plan_.spec.http),
      writer_(topic, plan_.topic, plan_.transform.columns()),
      dead_letters_(log, plan_.spec.name, 1),
      cursor_(pager_.first()) {}

Result<void> IngestLoop::recover() {
  auto sequence_of = [](std::string_view text) -> Result<int64_t> {
    return MR_TRY(source::parse_cursor(text)).sequence;
  };
  MR_TRY(topic::recover_page(topic_, source::kCursorHeader, sequence_of));
  last_timestamp_ms_ = MR_TRY(topic::last_timestamp_ms(topic_));
  auto found = MR_TRY(find_cursor(topic_, cursor_folder_));
  if (!found) return {};
  if (found->source != plan_.spec.name)
    return fail(ErrorCode::kConflict,
                "topic {} was fed by source {}, up to page {} of it; give that name to the source "
                "to go on there, or a topic of another name to a new source",
                topic_.name(), found->source, found->cursor.sequence);
  auto cursor = found->cursor;
  // `page:` may be new in the file.
  cursor.page = std::max(cursor.page, pager_.first().page);
  set_cursor(cursor);
  return {};
}

void IngestLoop::set_cursor(const source::Cursor& cursor) {
  std::scoped_lock lock(cursor_mutex_);
  cursor_ = cursor;
}

Result<void> IngestLoop::write_dead_letters(int64_t sequence, int64_t timestamp_ms) {
  for (const auto& failure : failures_) {
    Origin origin{.topic = plan_.spec.name,
                  .partition = sequence,
                  .offset = static_cast<int64_t>(failure.record)};
    MR_TRY(dead_letters_.add(PartitionId(0), origin, failure, std::nullopt, items_[failure.record],
                             timestamp_ms));
  }
  return dead_letters_.flush();
}

int64_t IngestLoop::page_timestamp_ms() {
  last_timestamp_ms_ = std::max(last_timestamp_ms_, clock_.now_micros() / 1'000);
  return last_timestamp_ms_;
}

void IngestLoop::choose_items(const Answer& answer, const source::Pager::Step& step) {
  items_.clear();
  failures_.clear();
  auto bad = answer.bad.begin();
  for (size_t i = 0; i < answer.items.size(); ++i) {
    const auto* wrong = bad != answer.bad.end() && bad->row == i ? &*bad++ : nullptr;
    if (step.fresh[i] == 0) continue;
    if (wrong != nullptr)
      failures_.push_back({items_.size(), sql::Stage::kDecode, "", wrong->problem});
    items_.push_back(answer.items[i]);
  }
}

// Adds to failures_, which has the items that are no JSON.
Result<sql::Transform::Counts> IngestLoop::run_select() {
  std::vector<std::optional<std::string_view>> records(items_.begin(), items_.end());
  size_t unreadable = failures_.size();
  for (const auto& failure : failures_) records[failure.record].reset();
  auto counts = MR_TRY(plan_.transform.run(records, writer_, failures_));
  std::ranges::inplace_merge(failures_, failures_.begin() + static_cast<std::ptrdiff_t>(unreadable),
                             {}, &sql::Failure::record);
  counts.filtered -= unreadable;
  counts.failed += unreadable;
  return counts;
}

Result<void> IngestLoop::keep_items(source::Cursor& next) {
  int64_t timestamp_ms = page_timestamp_ms();
  writer_.begin(timestamp_ms);
  auto counts = MR_TRY(run_select());
  ++next.sequence;
  next.items += static_cast<int64_t>(items_.size());
  next.records += static_cast<int64_t>(counts.passed);
  next.filtered += static_cast<int64_t>(counts.filtered);
  next.dead_letters += static_cast<int64_t>(counts.failed);
  MR_TRY_IN(write_dead_letters(next.sequence, timestamp_ms),
            "writing dead letters of " + plan_.spec.name);
  if (writer_.row_count() == 0) return keep_cursor(topic_, cursor_folder_, {plan_.spec.name, next});
  return writer_.append(source::kCursorHeader, source::to_json(next, plan_.spec.name));
}

void IngestLoop::warn_without_value(const source::Pager::Step& step, size_t item_count) {
  if (step.without_value == 0 || warned_without_value_) return;
  warned_without_value_ = true;
  logger_.warning(
      fmt::format("{} of {} items have no number or timestamp at '{}', the 'since' column; they "
                  "are taken, and do not move it",
                  step.without_value, item_count, fmt::join(plan_.spec.http.since->column, ".")),
      {{"node", plan_.spec.name}});
}

// One page from request to disk.
Result<IngestLoop::Page> IngestLoop::take_page(std::stop_token stop) {
  if (!dead_letters_known_) {
    Origin next_page{.topic = plan_.spec.name, .partition = cursor_.sequence + 1, .offset = 0};
    MR_TRY(dead_letters_.recover(PartitionId(0), next_page));
    dead_letters_known_ = true;
  }
  auto request = MR_TRY(source::request_for(plan_.spec.http, cursor_));
  auto response = MR_TRY(fetcher_.fetch(request, stop));
  constexpr long kNoContent = 204;
  if (response.not_modified || response.status == kNoContent)
    return Page{.has_items = false, .is_last = true};
  auto answer = reader_.read(response);
  if (!answer) return std::unexpected(fetcher_.about_answer(answer.error()));
  auto step = MR_TRY(pager_.step(cursor_, answer->items, answer->next));
  keep_validators(request, response, step.cursor);
  warn_without_value(step, answer->items.size());
  choose_items(*answer, step);
  if (!items_.empty()) {
    MR_TRY(keep_items(step.cursor));
    rate_.add(static_cast<int64_t>(writer_.row_count()), clock_.monotonic_micros());
  } else if (step.cursor.next != cursor_.next) {
    // A way through pages without items is not gone twice.
    ++step.cursor.sequence;
    MR_TRY(keep_cursor(topic_, cursor_folder_, {plan_.spec.name, step.cursor}));
  }
  set_cursor(step.cursor);
  return Page{.has_items = !items_.empty(), .is_last = step.is_last};
}

bool IngestLoop::run_is_over(Page page, int64_t started_micros) const {
  if (plan_.spec.run_for)
    return clock_.monotonic_micros() - started_micros >= plan_.spec.run_for->count() * 1'000;
  return page.is_last;
}

bool IngestLoop::wait_after(const Error& error, std::stop_token stop) {
  auto wait = backoff_.next(fetcher_.retry_after());
  health_.set(NodeState::kWaiting, error.message());
  logger_.warning(fmt::format("trying again in {}", format_duration(wait)),
                  {{"node", plan_.spec.name},
                   {"error_type", std::string(to_string(error.code()))},
                   {"error", error.message()}});
  return clock_.wait(wait, stop);
}

Result<void> IngestLoop::run(bool once, std::stop_token stop) {
  int64_t started = clock_.monotonic_micros();
  int failures_in_a_row = 0;
  while (!stop.stop_requested()) {
    int64_t request_started = clock_.monotonic_micros();
    auto page = take_page(stop);
    if (!page) {
      dead_letters_known_ = false;
      if (stop.stop_requested()) break;
      bool hopeless = page.error().code() == ErrorCode::kInvalid;
      if (once && (++failures_in_a_row == kAttemptsOfOneRun || hopeless)) {
        health_.set(NodeState::kWaiting, page.error().message());
        return std::unexpected(
            std::move(page).error().within(fmt::format("source {}", plan_.spec.name)));
      }
      if (!wait_after(page.error(), stop)) break;
      continue;
    }
    failures_in_a_row = 0;
    backoff_.reset();
    health_.set(NodeState::kRunning);
    if (once && run_is_over(*page, started)) break;
    // `every` counts from the start of one request to that of the next.
    int64_t spent_ms = (clock_.monotonic_micros() - request_started) / 1'000;
    auto every = plan_.spec.http.every;
    if (!page->has_items) every = std::max(every, limits::kNoItemsWait);
    auto rest = every - std::chrono::milliseconds(spent_ms);
    if (rest.count() > 0 && !clock_.wait(rest, stop)) break;
  }
  health_.set(NodeState::kFinished);
  return {};
}

SourceStatus IngestLoop::status() const {
  SourceStatus status{.name = plan_.spec.name, .topic = topic_.name()};
  health_.tell(status);
  status.records_per_s = rate_.per_second(clock_.monotonic_micros());
  std::scoped_lock lock(cursor_mutex_);
  status.pages = cursor_.sequence;
  status.items = cursor_.items;
  status.records = cursor_.records;
  status.filtered = cursor_.filtered;
  status.dead_letters = cursor_.dead_letters;
  return status;
}

}  // namespace millrace::pipeline
