#include "pipeline/source_ledger.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// Ranges of letters redriven by rule may be as many as the letters.
constexpr size_t kFileBytesMax = size_t{256} << 20;

std::string path_of(const CursorFolder& folder, const std::string& topic) {
  return fmt::format("{}/{}.redriven", folder.path, topic);
}

struct Contents {
  std::string topic_id;
  OffsetSet redriven;
  OffsetSet newest;

  std::string text() const {
    Json json = {
        {"topic_id", topic_id}, {"redriven", redriven.to_json()}, {"newest", newest.to_json()}};
    return json.dump() + "\n";
  }
};

// nullopt: there is no such file.
Result<std::optional<Contents>> read(const CursorFolder& folder, const std::string& path) {
  if (!MR_TRY(folder.disk->file_exists(path))) return std::nullopt;
  auto text = MR_TRY(folder.disk->read_file(path, kFileBytesMax));
  auto json = Json::parse(text, nullptr, false);
  Contents contents;
  bool right = json.is_object() && json.contains("topic_id") && json["topic_id"].is_string() &&
               json.contains("redriven") && json.contains("newest") &&
               contents.redriven.parse(json["redriven"]) && contents.newest.parse(json["newest"]);
  if (!right) return fail(ErrorCode::kCorrupt, "{} is no list of dead letters", path);
  contents.topic_id = json["topic_id"];
  return contents;
}

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

void OffsetSet::cut(int64_t end) {
  ranges_.erase(ranges_.lower_bound(end), ranges_.end());
  if (!ranges_.empty()) ranges_.rbegin()->second = std::min(ranges_.rbegin()->second, end - 1);
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
  ledger.path_ = path_of(folder, topic.name());
  ledger.topic_id_ = to_string(topic.id());
  auto found = MR_TRY(read(folder, ledger.path_));
  if (found && found->topic_id == ledger.topic_id_) {
    ledger.redriven_ = std::move(found->redriven);
    if (ledger.redriven_.size() + found->newest.size() <= redriven)
      ledger.redriven_.add(found->newest);
  }
  if (ledger.redriven_.size() == redriven) return ledger;
  return fail(ErrorCode::kCorrupt,
              "{} names {} dead letters that were redriven, but the source counts {}: the files of "
              "this data directory do not belong together",
              ledger.path_, ledger.redriven_.size(), redriven);
}

Result<std::optional<SourceLedger::File>> SourceLedger::after_cut(const CursorFolder& folder,
                                                                  const std::string& topic,
                                                                  const std::string& topic_id,
                                                                  int64_t redriven,
                                                                  int64_t letters_end) {
  auto path = path_of(folder, topic);
  auto contents = MR_TRY(read(folder, path));
  if (!contents || contents->topic_id != topic_id) return std::nullopt;
  contents->redriven.cut(letters_end);
  contents->newest.cut(letters_end);
  if (redriven == 0) contents->redriven = {};
  if (contents->redriven.size() < redriven) contents->redriven.add(contents->newest);
  if (contents->redriven.size() != redriven)
    return fail(ErrorCode::kUnsupported,
                "of the dead letters that {} names, {} were redriven by pages that stay, and which "
                "is not known",
                path, redriven);
  contents->newest = {};
  return File{.path = path, .text = contents->text()};
}

Result<void> SourceLedger::name(const OffsetSet& letters) {
  Contents contents{.topic_id = topic_id_, .redriven = redriven_, .newest = letters};
  MR_TRY(folder_.disk->make_directories(folder_.path));
  return folder_.disk->write_file_atomic(path_, contents.text());
}

}  // namespace millrace::pipeline
