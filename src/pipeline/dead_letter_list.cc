#include "pipeline/dead_letter_list.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>

#include "base/limits.h"
#include "base/text.h"
#include "pipeline/instance.h"
#include "pipeline/open_dead_letters.h"
#include "topic/reader.h"

namespace millrace::pipeline {
namespace {

// Keys and values of one list.
constexpr size_t kRecordBytes = limits::kRecordBytesMax;

size_t record_bytes(const DeadLetter& letter) {
  return (letter.key ? letter.key->size() : 0) + (letter.value ? letter.value->size() : 0);
}

// Returns how many bytes it had.
size_t leave_out_record(DeadLetter& letter) {
  size_t bytes = record_bytes(letter);
  letter.key.reset();
  letter.value.reset();
  letter.has_record = false;
  return bytes;
}

// Collects what a list is made of.
class Lister {
 public:
  Lister(const DeadLetterFilter& filter, size_t limit) : filter_(filter), limit_(limit) {}

  Result<void> read(DeadLetterScan scan) {
    std::deque<DeadLetter> newest;
    int32_t partition = 0;
    while (auto letter = MR_TRY(scan.next())) {
      if (letter->partition != partition) keep(newest);
      partition = letter->partition;
      if (!filter_.lets_through(*letter)) continue;
      auto& group = groups_[{letter->node, letter->stage, letter->rule}];
      ++(letter->is_open ? group.open : group.closed);
      add(newest, *std::move(letter));
    }
    keep(newest);
    return {};
  }

  DeadLetterList finish() {
    DeadLetterList list;
    list.newest = std::move(newest_);
    for (const auto& [key, counts] : groups_) {
      const auto& [node, stage, rule] = key;
      list.groups.push_back({node, stage, rule, counts.open, counts.closed});
    }
    std::ranges::stable_sort(list.groups, [](const auto& a, const auto& b) {
      return std::tie(a.node, b.open, b.closed) < std::tie(b.node, a.open, a.closed);
    });
    return list;
  }

 private:
  struct Counts {
    int64_t open = 0;
    int64_t closed = 0;
  };

  // Their records go from the oldest on where they are too much together.
  void add(std::deque<DeadLetter>& newest, DeadLetter letter) {
    bytes_ += record_bytes(letter);
    newest.push_back(std::move(letter));
    if (newest.size() > limit_) {
      bytes_ -= record_bytes(newest.front());
      newest.pop_front();
      if (bare_ > 0) --bare_;
    }
    for (; bytes_ > kRecordBytes && bare_ + 1 < newest.size(); ++bare_)
      bytes_ -= leave_out_record(newest[bare_]);
  }

  // Takes over the newest of one partition.
  void keep(std::deque<DeadLetter>& newest) {
    std::ranges::move(newest, std::back_inserter(newest_));
    newest.clear();
    bytes_ = 0;
    bare_ = 0;
    std::ranges::sort(newest_, [](const DeadLetter& a, const DeadLetter& b) {
      return std::tie(a.timestamp_ms, a.node, a.partition, a.offset) >
             std::tie(b.timestamp_ms, b.node, b.partition, b.offset);
    });
    if (newest_.size() > limit_) newest_.resize(limit_);
    size_t bytes = 0;
    for (auto& letter : newest_) {
      bytes += record_bytes(letter);
      if (bytes > kRecordBytes) leave_out_record(letter);
    }
  }

  const DeadLetterFilter& filter_;
  size_t limit_;
  size_t bytes_ = 0;  // of the records of the partition's newest
  size_t bare_ = 0;   // of these, from the oldest on, are without their records
  std::vector<DeadLetter> newest_;
  std::map<std::tuple<std::string, std::string, std::string>, Counts> groups_;
};

Result<void> check_node_is_known(Instance& instance, const std::string& node) {
  auto status = instance.status();
  std::vector<std::string> names;
  for (const auto& source : status.sources) names.push_back(source.name);
  for (const auto& table : status.tables) names.push_back(table.name);
  if (std::ranges::find(names, node) != names.end()) return {};
  std::string near = did_you_mean(node, names);
  std::string choice = names.empty()  ? std::string("; there is none yet")
                       : near.empty() ? fmt::format("; there is {}", fmt::join(names, ", "))
                                      : fmt::format("; did you mean '{}'?", near);
  return fail(ErrorCode::kNotFound, "there is no source or table '{}'{}", node, choice);
}

std::string_view node_of(std::string_view topic) {
  return topic.substr(0, topic.size() - kDeadLettersSuffix.size());
}

// Of one node; of all where it is "".
std::vector<log::Topic*> topics_of(Instance& instance, const std::string& node) {
  std::vector<log::Topic*> topics;
  for (auto* topic : instance.log().topics()) {
    if (!is_dead_letters_topic(topic->name())) continue;
    if (node.empty() || node == node_of(topic->name())) topics.push_back(topic);
  }
  return topics;
}

// Known is a rule by which a record was refused, whether that is still a dead letter or not.
Result<void> check_rule_is_known(Instance& instance, const DeadLetterFilter& filter) {
  std::set<std::string> rules;
  for (auto* topic : topics_of(instance, filter.node)) {
    DeadLetterScan scan(*topic, MR_TRY(OpenDeadLetters::of(instance, node_of(topic->name()))),
                        true);
    while (auto letter = MR_TRY(scan.next()))
      if (!letter->rule.empty()) rules.insert(letter->rule);
  }
  if (rules.contains(filter.rule)) return {};
  std::vector<std::string> names(rules.begin(), rules.end());
  std::string near = did_you_mean(filter.rule, names);
  std::string choice = names.empty() ? std::string("; there is none of any rule")
                       : near.empty()
                           ? fmt::format("; there are those of {}", fmt::join(names, ", "))
                           : fmt::format("; did you mean '{}'?", near);
  std::string of_node = filter.node.empty() ? "" : fmt::format(" of {}", filter.node);
  return fail(ErrorCode::kNotFound, "there is no dead letter{} of rule '{}', open or not{}",
              of_node, filter.rule, choice);
}

}  // namespace

Result<DeadLetterList> list_dead_letters(Instance& instance, const DeadLetterFilter& filter,
                                         bool closed_too, size_t limit) {
  Lister lister(filter, limit);
  auto topics = topics_of(instance, filter.node);
  for (auto* topic : topics) {
    auto open = MR_TRY(OpenDeadLetters::of(instance, node_of(topic->name())));
    MR_TRY(lister.read({*topic, std::move(open), closed_too}));
  }
  if (topics.empty() && !filter.node.empty()) MR_TRY(check_node_is_known(instance, filter.node));
  auto list = lister.finish();
  if (list.groups.empty() && !filter.rule.empty()) MR_TRY(check_rule_is_known(instance, filter));
  return list;
}

Result<std::string> node_of_dead_letter(Instance& instance, std::string_view address) {
  auto [node, number, offset] = MR_TRY(parse_dead_letter_address(address));
  auto* topic = instance.log().find_topic(dead_letters_topic(node));
  if (topic == nullptr) return fail(ErrorCode::kNotFound, "{} has no dead letters", node);
  if (number < topic->partition_count()) {
    const auto& partition = topic->partition(PartitionId(number));
    Offset at(offset);
    if (at >= partition.start_offset() && at < partition.end_offset()) return node;
  }
  return fail(ErrorCode::kNotFound, "there is no dead letter {}", address);
}

Result<DeadLetter> find_dead_letter(Instance& instance, std::string_view address) {
  MR_TRY(node_of_dead_letter(instance, address));
  auto wanted = MR_TRY(parse_dead_letter_address(address));
  auto* topic = instance.log().find_topic(dead_letters_topic(wanted.node));
  DeadLetterScan scan(*topic, MR_TRY(OpenDeadLetters::of(instance, wanted.node)), true);
  auto position = scan.position();
  position.partition = wanted.partition;
  position.offset = wanted.offset;
  MR_TRY(scan.go_to(std::move(position)));
  auto letter = MR_TRY(scan.next());
  if (!letter || letter->partition != wanted.partition || letter->offset != wanted.offset)
    return fail(ErrorCode::kNotFound, "there is no dead letter {}", address);
  return *std::move(letter);
}

}  // namespace millrace::pipeline
