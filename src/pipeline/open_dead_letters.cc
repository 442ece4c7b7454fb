#include "pipeline/open_dead_letters.h"

#include <algorithm>

#include "pipeline/instance.h"
#include "table/table_definition.h"

namespace millrace::pipeline {
namespace {

// Marks read from the store at once.
constexpr size_t kMarks = 1'000;

}  // namespace

Result<OpenDeadLetters> OpenDeadLetters::of(Instance& instance, std::string_view node) {
  OpenDeadLetters open;
  size_t dot = node.find('.');
  if (dot == node.npos) {
    open.is_source_ = true;
    open.of_source_ = MR_TRY(instance.source_letters(node));
    return open;
  }
  open.store_ = &instance.store();
  open.table_ = open.store_->find_table(node.substr(0, dot), node.substr(dot + 1));
  if (open.table_ != nullptr) open.topic_ = MR_TRY(table::definition_of(*open.table_)).topic;
  return open;
}

Result<std::optional<int64_t>> OpenDeadLetters::next(int32_t partition, int64_t from) {
  if (is_source_) {
    std::optional<int64_t> first;
    for (const auto& letters : of_source_) {
      int64_t offset = letters.redriven.next_absent(from);
      if (offset < letters.end) first = std::min(first.value_or(offset), offset);
    }
    return first;
  }
  if (table_ == nullptr) return std::nullopt;
  for (;;) {
    if (partition == partition_ && from >= read_from_ && from < read_to_) {
      auto found = std::ranges::lower_bound(offsets_, Offset(from));
      if (found != offsets_.end()) return found->value;
      if (read_to_ == INT64_MAX) return std::nullopt;
      from = read_to_;
    }
    offsets_ = MR_TRY(
        store_->open_dead_letters(*table_, topic_, PartitionId(partition), Offset(from), kMarks));
    partition_ = partition;
    read_from_ = from;
    read_to_ = offsets_.size() < kMarks ? INT64_MAX : offsets_.back().value + 1;
  }
}

DeadLetterScan::DeadLetterScan(log::Topic& topic, OpenDeadLetters open, bool closed_too)
    : topic_(&topic), open_(std::move(open)), closed_too_(closed_too) {
  for (int32_t i = 0; i < topic.partition_count(); ++i)
    at_.end.push_back(topic.partition(PartitionId(i)).end_offset().value);
}

Result<void> DeadLetterScan::go_to(DeadLetterPosition position) {
  bool right = position.partition >= 0 && position.partition < topic_->partition_count() &&
               position.offset >= 0 && position.end.size() == at_.end.size();
  for (size_t i = 0; right && i < at_.end.size(); ++i) right = position.end[i] <= at_.end[i];
  if (!right) return fail(ErrorCode::kInvalid, "that is no position in topic {}", topic_->name());
  at_ = std::move(position);
  records_ = {};
  return {};
}

Result<bool> DeadLetterScan::find() {
  auto& partition = topic_->partition(PartitionId(at_.partition));
  int64_t end = at_.end[static_cast<size_t>(at_.partition)];
  at_.offset = std::max(at_.offset, partition.start_offset().value);
  if (!closed_too_) at_.offset = MR_TRY(open_.next(at_.partition, at_.offset)).value_or(end);
  if (at_.offset >= end) return false;
  while (!records_.empty() && records_.front().offset < Offset(at_.offset))
    records_ = records_.subspan(1);
  if (records_.empty()) records_ = MR_TRY(reader_.read(partition, Offset(at_.offset)));
  return !records_.empty();
}

Result<std::optional<DeadLetter>> DeadLetterScan::next() {
  while (!is_at_end()) {
    if (!MR_TRY(find())) {
      ++at_.partition;
      at_.offset = 0;
      records_ = {};
      continue;
    }
    auto letter = MR_TRY(to_dead_letter(topic_->name(), at_.partition, records_.front()));
    at_.offset = letter.offset + 1;
    auto open = closed_too_ ? MR_TRY(open_.next(at_.partition, letter.offset)) : letter.offset;
    letter.is_open = open == letter.offset && open_.feeds_its_topic(letter);
    if (letter.is_open || closed_too_) return letter;
  }
  return std::nullopt;
}

}  // namespace millrace::pipeline
