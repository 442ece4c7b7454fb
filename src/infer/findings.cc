#include "infer/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "base/text.h"
#include "infer/csv_items.h"
#include "infer/observation.h"
#include "infer/schema_of.h"
#include "sql/json_split.h"

namespace millrace::infer {
namespace {

// So few items say little.
constexpr size_t kItemsFew = 10;
constexpr size_t kUnreadableTold = 3;

class Look {
 public:
  Result<void> take(const Sample& sample, const std::optional<std::vector<std::string>>& path);
  Result<Findings> findings(std::span<const Sample> samples) &&;

 private:
  void take_item(std::string_view item);
  void pass_over(const std::string& problem);
  // Views of `texts` with the padding that reading needs.
  void take_lines(std::string_view text);

  Findings findings_;
  Observation items_;
  bool laid_out_ = false;
  std::unordered_set<size_t> seen_;  // items, hashed
  size_t twice_ = 0;
  size_t unreadable_ = 0;
};

Result<void> Look::take(const Sample& sample, const std::optional<std::vector<std::string>>& path) {
  if (!laid_out_) {
    findings_.format = sample.format;
    findings_.format_is_told = sample.format_is_told;
  }
  if (sample.format != Sample::Format::kJson) {
    if (!laid_out_) findings_.layout.why = "each line is an item";
    laid_out_ = true;
    if (sample.format == Sample::Format::kJsonLines) {
      take_lines(sample.text());
      return {};
    }
    auto rows = MR_TRY(csv_items(sample.text()));
    for (const auto& problem : rows.problems) pass_over(problem);
    for (const auto& item : rows.items) take_lines(item);
    return {};
  }
  if (!laid_out_) findings_.layout = MR_TRY(layout_of(sample.text(), sample.links, path));
  laid_out_ = true;
  sql::ItemSplitter splitter;
  for (auto item : MR_TRY(splitter.split(sample.text(), findings_.layout.path))) take_item(item);
  return {};
}

void Look::take_lines(std::string_view text) {
  std::string padded;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    padded.assign(line);
    padded.append(sql::kJsonPadding, ' ');
    take_item(std::string_view(padded).substr(0, line.size()));
  }
}

void Look::pass_over(const std::string& problem) {
  if (unreadable_++ < kUnreadableTold)
    findings_.notes.push_back(fmt::format("an item was passed over: {}", problem));
}

void Look::take_item(std::string_view item) {
  auto checked = check_item(item);
  if (!checked) return pass_over(checked.error().message());
  if (!seen_.insert(std::hash<std::string_view>()(item)).second) {
    ++twice_;
    return;
  }
  auto observed = observe_item(item, items_);
  if (observed && findings_.item.empty()) findings_.item = item;
}

Result<Findings> Look::findings(std::span<const Sample> samples) && {
  findings_.items = items_.objects;
  if (findings_.items == 0)
    return fail(ErrorCode::kNotFound, "{} has no items to look at{}", samples[0].from,
                unreadable_ > 0 ? ": " + findings_.notes[0] : std::string());
  if (findings_.items < kItemsFew)
    findings_.notes.push_back(
        fmt::format("only {} item{} to go by: other items may well be different", findings_.items,
                    findings_.items == 1 ? "" : "s"));
  if (twice_ > 0)
    findings_.notes.push_back(
        fmt::format("{} items came more than once", with_thousands(static_cast<int64_t>(twice_))));
  auto schema = schema_of(items_, findings_.notes);
  findings_.schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
  findings_.schema.update(schema);
  findings_.key = guess_key(items_, findings_.notes);
  return std::move(findings_);
}

}  // namespace

Result<Findings> look_at(std::span<const Sample> samples,
                         const std::optional<std::vector<std::string>>& path) {
  Look look;
  for (const auto& sample : samples) MR_TRY_IN(look.take(sample, path), sample.from);
  return std::move(look).findings(samples);
}

}  // namespace millrace::infer
