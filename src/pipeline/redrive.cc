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
  std::vector<DeadLetter> letters;
  size_t bytes = 0;
  while (letters.size() < kStepLetters && bytes < kStepBytes) {
    auto letter = MR_TRY(scan.next());
    if (!letter) break;
    if (!filter.lets_through(*letter)) continue;
    MR_TRY(instance.load_value(*letter));
    bytes += letter->value ? letter->value->size() : 0;
    letters.push_back(*std::move(letter));
  }
  if (!scan.is_at_end()) step.next = scan.position();
  if (!letters.empty()) step.done = MR_TRY(instance.redrive(filter.node, letters));
  return step;
}

Result<Redriven> redrive(Instance& instance, std::span<const std::string> addresses,
                         const std::optional<std::string>& value) {
  if (value && addresses.size() != 1)
    return fail(ErrorCode::kInvalid, "an edited record is for one dead letter, not for {}",
                addresses.size());
  std::map<std::string, std::vector<DeadLetter>> by_node;
  for (const auto& address : addresses) {
    auto letter = MR_TRY(find_dead_letter(instance, address));
    MR_TRY(instance.check_node(letter.node));
    if (value)
      letter.value = *value;
    else
      MR_TRY(instance.load_value(letter));
    auto& letters = by_node[letter.node];
    if (std::ranges::none_of(letters, [&](auto& l) { return l.address() == letter.address(); }))
      letters.push_back(std::move(letter));
  }
  Redriven all;
  for (const auto& [node, letters] : by_node) all.add(MR_TRY(instance.redrive(node, letters)));
  return all;
}

}  // namespace millrace::pipeline
