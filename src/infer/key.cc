#include "infer/key.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "infer/schema_of.h"

namespace millrace::infer {
namespace {

struct Candidate {
  std::vector<std::string> path;
  const Observation* observation;
  int score;
};

constexpr int kSure = 40;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

int score_of_name(const std::string& name) {
  auto word = lower(name);
  for (const char* key : {"id", "_id", "uuid", "guid", "uid"})
    if (word == key) return 60;
  for (const char* key : {"key", "code", "sku", "isbn", "slug", "symbol", "number", "reference"})
    if (word == key) return 42;
  bool ends = word.ends_with("_id") || word.ends_with("uuid") || word.ends_with("_key") ||
              word.ends_with("-id") || name.ends_with("Id") || name.ends_with("ID");
  if (ends) return 40;
  for (const char* key : {"email", "username", "login", "url", "href", "name"})
    if (word == key) return 15;
  return 0;
}

int score_of(const std::vector<std::string>& path, const Observation& of) {
  int score = score_of_name(path.back());
  if (of.strings > 0 && (of.forms & kUuidForm) != 0) score += 30;
  bool is_moment = (of.forms & (kDateForm | kTimeForm | kTimestampForm)) != 0;
  if (of.strings > 0 && is_moment) score -= 20;
  return score - 8 * static_cast<int>(path.size() - 1);
}

bool is_scalar(const Observation& of) {
  bool only_strings = of.strings == of.seen() && !of.has_empty_string;
  return of.seen() > 0 && (only_strings || of.integers == of.seen());
}

// Fields that are in every object, down through objects that are.
void collect(const Observation& object, std::vector<std::string>& path,
             std::vector<Candidate>& candidates) {
  for (const auto& member : object.members) {
    const auto& of = *member.observation;
    if (member.name.empty() || member.in_objects != object.objects) continue;
    path.push_back(member.name);
    if (is_scalar(of) && of.seen() == object.objects)
      candidates.push_back({path, &of, score_of(path, of)});
    else if (of.objects == of.seen() && of.objects == object.objects && !is_map(of))
      collect(of, path, candidates);
    path.pop_back();
  }
}

std::string kind_of(const Observation& of) {
  if (of.integers > 0) return "an integer";
  return (of.forms & kUuidForm) != 0 ? "a uuid" : "a string";
}

}  // namespace

std::optional<Key> guess_key(const Observation& items, std::vector<std::string>& notes) {
  std::vector<Candidate> candidates;
  std::vector<std::string> path;
  collect(items, path, candidates);
  std::ranges::stable_sort(candidates, std::ranges::greater(), &Candidate::score);
  for (const auto& candidate : candidates)
    if (candidate.observation->repeated && candidate.score >= kSure)
      notes.push_back(fmt::format("{}: looks like a key, but different items have the same value",
                                  fmt::join(candidate.path, ".")));
  std::erase_if(candidates, [](const Candidate& of) { return of.observation->repeated; });
  if (candidates.empty()) return std::nullopt;

  const auto& best = candidates.front();
  Key key{.path = best.path, .why = "", .is_sure = best.score >= kSure && items.objects > 1};
  key.why = fmt::format("{}, {}", kind_of(*best.observation),
                        items.objects > 1
                            ? fmt::format("different in all {} items",
                                          with_thousands(static_cast<int64_t>(items.objects)))
                            : "chosen by its name, as there is only one item");
  std::vector<std::string> others;
  for (size_t i = 1; i < candidates.size() && others.size() < 3; ++i)
    others.push_back(fmt::format("{}", fmt::join(candidates[i].path, ".")));
  if (!key.is_sure && items.objects > 1)
    notes.push_back(
        fmt::format("{}: is it the key? Nothing but its values, all different, speaks "
                    "for it{}",
                    fmt::join(key.path, "."),
                    others.empty() ? std::string()
                                   : fmt::format("; so are those of {}", fmt::join(others, ", "))));
  return key;
}

}  // namespace millrace::infer
