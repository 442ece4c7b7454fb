#include "pipeline/ingest_loop.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <random>
#include <utility>

#include "base/checksum.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "topic/place.h"

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

bool is_same_place(const source::Cursor& a, const source::Cursor& b) {
  return a.page == b.page && a.offset == b.offset && a.next == b.next && a.since == b.since;
}

Result<std::vector<topic::LateItem>> late_items(std::span<const DeadLetter* const> letters) {
  std::vector<topic::LateItem> items;
  for (const auto* letter : letters) {
    auto& item = items.emplace_back(topic::LateItem{.timestamp_ms = letter->from_timestamp_ms,
                                                    .before = {},
                                                    .dead_letter = Offset(letter->offset)});
    if (!letter->place.empty()) item.before = MR_TRY(topic::parse_before(letter->place));
  }
  return items;
}

}  // namespace

IngestLoop::IngestLoop(SourcePlan plan, log::Log& log, log::Topic& topic,
                       CursorFolder cursor_folder, Logger& logger, io::Clock& clock)
    : plan_(std::move(plan)),
      topic_(topic),
      cursor_folder_(std::move(cursor_folder)),
      logger_(logger),
      clock_(clock),
      fetcher_(plan_.spec.http, plan_.spec.format),
      backoff_(std::random_device()()),
      reader_(plan_.spec),
      pager_(plan_.spec.http),
      writer_(topic, plan_.topic, plan_.transform.columns()),
      dead_letters_(log, plan_.spec.name, 1),
      share_(plan_.spec.dead_letters.max),
      cursor_(pager_.first()),
      kept_(cursor_) {}

Result<void> IngestLoop::recover() {
  MR_TRY(writer_.check());
  MR_TRY(dead_letters_.check());
  return find_place();
}

// What is there says how far the source is: at a start, and after a page whose end is not known.
Result<void> IngestLoop::find_place() {
  last_timestamp_ms_ = std::max(last_timestamp_ms_, topic::last_timestamp_ms(topic_));
  // A file whose write was cut short may stand under its name, and not durably.
  auto& disk = *cursor_folder_.disk;
  if (MR_TRY(disk.file_exists(cursor_folder_.path)))
    MR_TRY(disk.sync_directory(cursor_folder_.path));
  auto found = MR_TRY(cursor_of(plan_.spec.name, topic_, cursor_folder_));
  bool came = found && found->sequence > cursor_.sequence;
  auto cursor = came ? *found : cursor_;
  // `page:` may be new in the file.
  cursor.page = std::max(cursor.page, pager_.first().page);
  if (auto why = source::forget_lost_address(plan_.spec.http, cursor))
    logger_.warning("reading begins at the first page: the next one cannot be asked for",
                    {{"node", plan_.spec.name}, {"error", why->message()}});
  auto ledger = MR_TRY(SourceLedger::load(cursor_folder_, topic_, cursor.redriven));
  if (came) show_dead_letters();
  auto id = to_string(topic_.id());
  MR_TRY(dead_letters_.take_back(
      {.topic = plan_.spec.name, .partition = cursor.sequence + 1, .offset = 0, .fed = id}));
  if (came) kept_ = cursor;
  set_cursor(cursor);
  {
    std::scoped_lock lock(cursor_mutex_);
    ledger_ = std::move(ledger);
  }
  show_dead_letters();
  has_unfinished_page_ = false;
  return {};
}

Result<void> IngestLoop::begin_page() {
  MR_TRY(writer_.check());
  return has_unfinished_page_ ? find_place() : Result<void>();
}

void IngestLoop::set_cursor(const source::Cursor& cursor) {
  std::scoped_lock lock(cursor_mutex_);
  cursor_ = cursor;
}

// Puts the rows of items into writer_, and adds what is wrong with others to failures_, which has
// those that are no JSON.
Result<sql::Transform::Counts> IngestLoop::make_rows(
    std::vector<std::optional<std::string_view>> items, const std::function<void()>& begin) {
  auto left_out = std::exchange(failures_, {});
  for (const auto& failure : left_out) items[failure.record].reset();
  begin();
  auto counts = MR_TRY(plan_.transform.run(items, writer_, failures_));
  while (!writer_.too_large().empty()) {
    for (size_t item : writer_.too_large()) {
      items[item].reset();
      auto error = fmt::format("it makes a record of more than {} for topic {}",
                               format_bytes(limits::kRecordBytesMax), topic_.name());
      left_out.push_back({item, sql::Stage::kSql, "", std::move(error)});
    }
    begin();
    failures_.clear();
    counts = MR_TRY(plan_.transform.run(items, writer_, failures_));
  }
  // The SELECT took those that are left out for filtered.
  counts.filtered -= left_out.size();
  counts.failed += left_out.size();
  std::ranges::move(left_out, std::back_inserter(failures_));
  for (auto& failure : failures_) failure.error = fetcher_.without_secrets(failure.error);
  std::ranges::sort(failures_, {}, &sql::Failure::record);
  return counts;
}

// A page is tried again under the same number, and the API may answer otherwise then. So its dead
// letters are on disk before the page, but nobody sees them before it is there.
Result<void> IngestLoop::write_dead_letters(int64_t sequence, int64_t timestamp_ms) {
  std::vector<Refused> refused;
  auto id = to_string(topic_.id());
  std::deque<std::string> files;
  std::vector<size_t> positions;
  for (const auto& failure : failures_) positions.push_back(failure.record);
  auto places = writer_.places_of(positions);
  for (const auto& failure : failures_) {
    auto item = items_[failure.record];
    files.push_back(MR_TRY(keep_if_large(item)));
    refused.push_back(
        {.origin = {plan_.spec.name, sequence, static_cast<int64_t>(failure.record), id},
         .stage = sql::to_string(failure.stage),
         .rule = failure.rule,
         .error = failure.error,
         .key = std::nullopt,
         .value = item,
         .timestamp_ms = timestamp_ms,
         .place = places[refused.size()],
         .value_file = files.back()});
  }
  MR_TRY(dead_letters_.write(PartitionId(0), refused, timestamp_ms));
  return {};
}

// An item that no record can hold stands in a file beside the cursors, whose name is returned. It
// is named by what it holds, so trying again writes the same.
Result<std::string> IngestLoop::keep_if_large(std::string_view item) {
  if (item.size() <= limits::kRecordBytesMax) return std::string();
  auto name = fmt::format("{}-{}-{:08x}.item", plan_.spec.name, item.size(), crc32c(item));
  MR_TRY(cursor_folder_.disk->make_directories(cursor_folder_.path));
  MR_TRY(cursor_folder_.disk->write_file_atomic(cursor_folder_.path + "/" + name, item));
  return name;
}

void IngestLoop::show_dead_letters() {
  Offset end = dead_letters_.show(PartitionId(0));
  std::scoped_lock lock(cursor_mutex_);
  letters_end_ = end.value;
}

Result<void> IngestLoop::write_page(const source::Cursor& next) {
  MR_TRY(writer_.append(source::kCursorHeader, source::to_json(next, plan_.spec.name)));
  if (writer_.row_count() == 0)
    MR_TRY(keep_cursor(topic_, cursor_folder_, {plan_.spec.name, next}));
  kept_ = next;
  return {};
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
      failures_.push_back({items_.size(), sql::Stage::kDecode, "",
                           wrong->problem + "; to redrive it, edit it into a JSON object"});
    items_.push_back(answer.items[i]);
  }
}

Result<void> IngestLoop::keep_items(source::Cursor& next) {
  int64_t timestamp_ms = page_timestamp_ms();
  auto counts =
      MR_TRY(make_rows({items_.begin(), items_.end()}, [&] { writer_.begin(timestamp_ms); }));
  ++next.sequence;
  next.items += static_cast<int64_t>(items_.size());
  next.records += static_cast<int64_t>(counts.passed);
  next.filtered += static_cast<int64_t>(counts.filtered);
  next.dead_letters += static_cast<int64_t>(counts.failed);
  MR_TRY_IN(write_dead_letters(next.sequence, timestamp_ms),
            "writing dead letters of " + plan_.spec.name);
  return write_page(next);
}

// What is left to do when a page is there for good.
void IngestLoop::finish_items() {
  rate_.add(static_cast<int64_t>(writer_.row_count()), clock_.monotonic_micros());
  auto allowed = check_share();
  if (!allowed) too_many_ = std::move(allowed).error();
  if (!failures_.empty()) show_dead_letters();
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
  auto request = MR_TRY(next_request());
  auto response = MR_TRY(fetcher_.fetch(request, stop));
  if (response.not_modified) return Page{.has_items = false, .is_last = true};
  auto answer = reader_.read(response);
  if (!answer) return std::unexpected(fetcher_.about_answer(answer.error()));

  std::scoped_lock turn(turns_);
  MR_TRY(begin_page());
  auto step = MR_TRY(pager_.step(cursor_, answer->items, answer->next));
  keep_validators(request, response, step.cursor);
  warn_without_value(step, answer->items.size());
  choose_items(*answer, step);
  has_unfinished_page_ = true;
  if (!items_.empty()) {
    MR_TRY(keep_items(step.cursor));
  } else if (step.cursor.next != cursor_.next ||
             (step.is_last && !is_same_place(step.cursor, kept_))) {
    // A way through pages without items is not gone twice, and no pass is ended twice.
    ++step.cursor.sequence;
    MR_TRY(keep_cursor(topic_, cursor_folder_, {plan_.spec.name, step.cursor}));
    kept_ = step.cursor;
  }
  set_cursor(step.cursor);
  if (!items_.empty()) finish_items();
  has_unfinished_page_ = false;
  return Page{.has_items = !items_.empty(), .is_last = step.is_last};
}

Result<source::Request> IngestLoop::next_request() {
  std::scoped_lock turn(turns_);
  MR_TRY(begin_page());
  return source::request_for(plan_.spec.http, cursor_);
}

// A page is taken whatever its share: an API may not give it again.
Result<void> IngestLoop::check_share() {
  auto records = static_cast<int64_t>(items_.size());
  auto refused = static_cast<int64_t>(failures_.size());
  if (refused > 0) {
    auto allowed = share_.check_with(records, refused, words_of(failures_[0]));
    if (!allowed)
      return fail(
          allowed.error().code(),
          "{}. They are dead letters, and no more pages are asked for: fix the pipeline "
          "file or its 'max', start again or send SIGHUP, and 'millrace dlq redrive --node {}' "
          "takes them",
          allowed.error().message(), plan_.spec.name);
  }
  share_.add(records, refused);
  return {};
}

Result<Redriven> IngestLoop::redrive(std::span<const DeadLetter> letters) {
  std::scoped_lock turn(turns_);
  MR_TRY(begin_page());
  Redriven done;
  auto known = this->letters();
  std::vector<const DeadLetter*> open;
  for (const auto& letter : letters) {
    if (known.is_open(letter))
      open.push_back(&letter);
    else
      ++done.not_open;
  }
  LettersAsRecords records(open);
  auto items = MR_TRY(late_items(open));
  failures_.clear();
  auto counts = MR_TRY(
      make_rows({records.values().begin(), records.values().end()}, [&] { writer_.begin(items); }));
  for (const auto& failure : failures_) {
    done.failing.push_back({open[failure.record]->address(), words_of(failure)});
    open[failure.record] = nullptr;
  }
  OffsetSet taken;
  for (const auto* letter : open)
    if (letter != nullptr) taken.add(letter->offset);
  if (taken.size() == 0) return done;
  done.written = static_cast<int64_t>(counts.passed);
  done.filtered = static_cast<int64_t>(counts.filtered);

  source::Cursor next = cursor_;
  ++next.sequence;
  next.records += done.written;
  next.filtered += done.filtered;
  next.dead_letters -= taken.size();
  next.redriven += taken.size();
  has_unfinished_page_ = true;
  MR_TRY(ledger_.name(taken));
  MR_TRY(write_page(next));
  set_cursor(next);
  std::scoped_lock lock(cursor_mutex_);
  ledger_.came_true(taken);
  has_unfinished_page_ = false;
  return done;
}

Result<Produced> IngestLoop::produce(const Lines& lines) {
  std::scoped_lock turn(turns_);
  MR_TRY(begin_page());
  writer_.begin(page_timestamp_ms());
  MR_TRY(read_lines(plan_.topic, lines, writer_));
  if (writer_.row_count() == 0) return Produced{};
  source::Cursor next = cursor_;
  ++next.sequence;
  has_unfinished_page_ = true;
  MR_TRY(write_page(next));
  set_cursor(next);
  has_unfinished_page_ = false;
  return produced_by(writer_);
}

SourceLetters IngestLoop::letters() const {
  std::scoped_lock lock(cursor_mutex_);
  return {.redriven = ledger_.redriven(), .topic_id = to_string(topic_.id()), .end = letters_end_};
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
  auto ran = take_pages(once, std::move(stop));
  // Another loop may go on here when the file has changed: it finds nothing unfinished, if
  // possible.
  std::scoped_lock turn(turns_);
  (void)begin_page();
  return ran;
}

Result<void> IngestLoop::take_pages(bool once, std::stop_token stop) {
  int64_t started = clock_.monotonic_micros();
  int failures_in_a_row = 0;
  while (!stop.stop_requested()) {
    int64_t request_started = clock_.monotonic_micros();
    auto page = take_page(stop);
    if (!page) {
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
    if (too_many_) {
      health_.set(NodeState::kStopped, too_many_->message());
      logger_.error("too many dead letters; stopped",
                    {{"node", plan_.spec.name},
                     {"error_type", std::string(to_string(too_many_->code()))},
                     {"error", too_many_->message()}});
      return std::unexpected(
          std::move(*too_many_).within(fmt::format("source {}", plan_.spec.name)));
    }
    failures_in_a_row = 0;
    backoff_.reset();
    if (health_.set(NodeState::kRunning) == NodeState::kWaiting)
      logger_.info("goes on", {{"node", plan_.spec.name}});
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
  status.redriven = cursor_.redriven;
  return status;
}

}  // namespace millrace::pipeline
