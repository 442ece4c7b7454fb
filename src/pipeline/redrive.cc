#include "pipeline/redrive.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/limits.h"
#include "pipeline/instance.h"
#include "pipeline/open_dead_letters.h"
#include "sql/json_split.h"

namespace millrace::pipeline {
namespace {

// Of one step: so many letters make one write, and one answer of the door.
constexpr size_t kStepLetters = 1'000;
constexpr size_t kStepBytes = limits::kBatchBytes;

// Dead letters of one node that are taken at once.
class Step {
 public:
  Step(Instance& instance, std::string node) : instance_(instance), node_(std::move(node)) {}

  bool is_full() const {
    return letters_.size() + unreadable_.size() >= kStepLetters || bytes_ >= kStepBytes;
  }
  // One whose value cannot be read stays as it is, and keeps no other.
  void add(DeadLetter letter) {
    if (auto loaded = instance_.load_value(letter); !loaded) {
      unreadable_.push_back({letter.address(), loaded.error().message()});
      return;
    }
    bytes_ += letter.value ? letter.value->size() : 0;
    letters_.push_back(std::move(letter));
  }
  Result<Redriven> take() {
    Redriven done;
    if (!letters_.empty()) done = MR_TRY(instance_.redrive(node_, letters_));
    std::ranges::move(unreadable_, std::back_inserter(done.failing));
    letters_.clear();
    unreadable_.clear();
    bytes_ = 0;
    return done;
  }

 private:
  Instance& instance_;
  const std::string node_;
  std::vector<DeadLetter> letters_;
  std::vector<StillFailing> unreadable_;
  size_t bytes_ = 0;
};

}  // namespace

void Redriven::add(Redriven other) {
  written += other.written;
  filtered += other.filtered;
  not_open += other.not_open;
  std::ranges::move(other.failing, std::back_inserter(failing));
}

LettersAsRecords::LettersAsRecords(std::span<const DeadLetter* const> letters) {
  size_t bytes = 0;
  for (const auto* letter : letters)
    bytes += (letter->value ? letter->value->size() : 0) + sql::kJsonPadding;
  texts_.reserve(bytes);
  for (const auto* letter : letters) {
    std::optional<std::string_view> value;
    if (letter->value) {
      size_t begin = texts_.size();
      texts_ += *letter->value;
      value = std::string_view(texts_).substr(begin);
      texts_.append(sql::kJsonPadding, '\0');
    }
    values_.push_back(value);
    records_.push_back({.offset = Offset(letter->from_offset),
                        .timestamp_ms = letter->from_timestamp_ms,
                        .key = letter->key,
                        .value = value,
                        .headers = {}});
  }
}

Result<RedriveStep> redrive(Instance& instance, const DeadLetterFilter& filter,
                            const std::optional<DeadLetterPosition>& from) {
  MR_TRY(instance.check_node(filter.node));
  RedriveStep step;
  auto* topic = instance.log().find_topic(dead_letters_topic(filter.node));
  if (topic == nullptr) return step;
  DeadLetterScan scan(*topic, MR_TRY(OpenDeadLetters::of(instance, filter.node)), false);
  if (from) MR_TRY(scan.go_to(*from));
  Step taken(instance, filter.node);
  while (!taken.is_full()) {
    auto letter = MR_TRY(scan.next());
    if (!letter) break;
    if (filter.lets_through(*letter)) taken.add(*std::move(letter));
  }
  if (!scan.is_at_end()) step.next = scan.position();
  step.done = MR_TRY(taken.take());
  return step;
}

Result<Redriven> redrive(Instance& instance, std::span<const std::string> addresses,
                         const std::optional<std::string>& value) {
  if (value && addresses.size() != 1)
    return fail(ErrorCode::kInvalid, "an edited record is for one dead letter, not for {}",
                addresses.size());
  std::map<std::string, std::vector<std::string>> by_node;
  for (const auto& address : addresses) {
    auto node = MR_TRY(node_of_dead_letter(instance, address));
    MR_TRY(instance.check_node(node));
    auto& same = by_node[node];
    if (std::ranges::find(same, address) == same.end()) same.push_back(address);
  }
  Redriven all;
  for (const auto& [node, of_node] : by_node) {
    Step step(instance, node);
    for (const auto& address : of_node) {
      auto letter = MR_TRY(find_dead_letter(instance, address));
      if (value) {
        letter.value = *value;
        letter.value_file.clear();
      }
      step.add(std::move(letter));
      if (step.is_full()) all.add(MR_TRY(step.take()));
    }
    all.add(MR_TRY(step.take()));
  }
  return all;
}

}  // namespace millrace::pipeline
