#include "pipeline/source_ledger.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// Ranges of letters redriven by rule may be as many as the letters.
constexpr size_t kFileBytesMax = size_t{256} << 20;

}  // namespace

void OffsetSet::add(int64_t offset) {
  add_range(offset, offset);
}

void OffsetSet::add(const OffsetSet& other) {
  for (auto [first, last] : other.ranges_) add_range(first, last);
}

void OffsetSet::add_range(int64_t first, int64_t last) {
  auto next = ranges_.upper_bound(first);
  if (next != ranges_.begin() && std::prev(next)->second >= first - 1) --next;
  while (next != ranges_.end() && next->first <= last + 1) {
    first = std::min(first, next->first);
    last = std::max(last, next->second);
    next = ranges_.erase(next);
  }
  ranges_.emplace(first, last);
}

int64_t OffsetSet::next_absent(int64_t from) const {
  auto next = ranges_.upper_bound(from);
  if (next == ranges_.begin()) return from;
  return std::max(from, std::prev(next)->second + 1);
}

int64_t OffsetSet::size() const {
  int64_t size = 0;
  for (auto [first, last] : ranges_) size += last - first + 1;
  return size;
}

Json OffsetSet::to_json() const {
  auto json = Json::array();
  for (auto [first, last] : ranges_) json.push_back({first, last});
  return json;
}

bool OffsetSet::parse(const Json& json) {
  ranges_.clear();
  if (!json.is_array()) return false;
  for (const auto& range : json) {
    if (!range.is_array() || range.size() != 2) return false;
    if (!range[0].is_number_integer() || !range[1].is_number_integer()) return false;
    auto first = range[0].get<int64_t>();
    auto last = range[1].get<int64_t>();
    if (first < 0 || last < first || last == INT64_MAX) return false;
    add_range(first, last);
  }
  return true;
}

Result<SourceLedger> SourceLedger::load(const CursorFolder& folder, const log::Topic& topic,
                                        int64_t redriven) {
  SourceLedger ledger;
  ledger.folder_ = folder;
  ledger.path_ = fmt::format("{}/{}.redriven", folder.path, topic.name());
  ledger.topic_id_ = to_string(topic.id());
  if (MR_TRY(folder.disk->file_exists(ledger.path_))) {
    auto text = MR_TRY(folder.disk->read_file(ledger.path_, kFileBytesMax));
    auto json = Json::parse(text, nullptr, false);
    OffsetSet newest;
    bool right = json.is_object() && json.contains("topic_id") && json.contains("redriven") &&
                 json.contains("newest") && ledger.redriven_.parse(json["redriven"]) &&
                 newest.parse(json["newest"]);
    if (!right) return fail(ErrorCode::kCorrupt, "{} is no list of dead letters", ledger.path_);
    bool is_of_topic = json["topic_id"] == ledger.topic_id_;
    if (!is_of_topic) ledger.redriven_ = {};
    if (is_of_topic && ledger.redriven_.size() + newest.size() <= redriven)
      ledger.redriven_.add(newest);
  }
  if (ledger.redriven_.size() == redriven) return ledger;
  return fail(ErrorCode::kCorrupt,
              "{} names {} dead letters that were redriven, but the source counts {}: the files of "
              "this data directory do not belong together",
              ledger.path_, ledger.redriven_.size(), redriven);
}

Result<void> SourceLedger::name(const OffsetSet& letters) {
  Json json = {
      {"topic_id", topic_id_}, {"redriven", redriven_.to_json()}, {"newest", letters.to_json()}};
  MR_TRY(folder_.disk->make_directories(folder_.path));
  return folder_.disk->write_file_atomic(path_, json.dump() + "\n");
}

}  // namespace millrace::pipeline
