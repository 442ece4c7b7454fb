#include "cli/live_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "cli/status_text.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kGap = "  ";
constexpr size_t kStateWidth = std::string_view("finished").size();
constexpr size_t kNameWidthMin = 12;  // that names are cut to before numbers are left out
constexpr size_t kWideEnough = 80;    // for whole words in the header

enum Column : uint8_t { kRecords, kRate, kLag, kWritten, kDeadLetters, kColumns };
// The first to go where there is no room.
constexpr std::array kGiveWay = {kWritten, kRecords, kRate, kLag};

struct Node {
  std::string name;
  std::string state;
  std::string reason;  // why it waits or has stopped
  std::array<std::string, kColumns> numbers;
  bool has_dead_letters = false;
};

std::string text(const Json& json, const char* name) {
  return json.at(name).get<std::string>();
}

std::string count(const Json& json, const char* name) {
  return with_thousands(json.at(name).get<int64_t>());
}

Node node_of(const Json& json, bool is_table) {
  Node node{.name = text(json, "name"),
            .state = text(json, "state"),
            .reason = printable(text(json, "error")),
            .numbers = {},
            .has_dead_letters = json.at("dead_letters").get<int64_t>() > 0};
  node.numbers[kRate] = rate_text(json.at("records_per_s").get<double>());
  node.numbers[kDeadLetters] = count(json, "dead_letters");
  if (is_table) {
    auto taken = json.at("records_in").get<int64_t>() - json.at("waiting").get<int64_t>();
    node.numbers[kRecords] = with_thousands(taken);
    node.numbers[kLag] = count(json, "waiting");
    node.numbers[kWritten] = count(json, "written");
  } else {
    node.numbers[kRecords] = count(json, "records");
  }
  return node;
}

// Those that fit in so many lines, in their order.
std::vector<Node> choose(std::vector<Node> nodes, size_t lines) {
  if (nodes.size() <= lines) return nodes;
  std::vector<size_t> order(nodes.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_partition(order, [&](size_t i) { return !nodes[i].reason.empty(); });
  order.resize(lines);
  std::ranges::sort(order);
  std::vector<Node> chosen;
  for (size_t i : order) chosen.push_back(std::move(nodes[i]));
  return chosen;
}

// What went wrong is at the beginning of one that names the address that the node's name stands
// for, and at both ends of others.
std::string in_few_words(const std::string& reason, size_t width) {
  auto end = reason.starts_with("cannot fetch ") ? reason.find(": ") : reason.npos;
  return end == reason.npos ? cut_middle(reason, width)
                            : cut_to_width(reason.substr(end + 2), width);
}

std::string padded(const std::string& text, size_t width, bool right) {
  std::string spaces(width - std::min(width, display_width(text)), ' ');
  return right ? spaces + text : text + spaces;
}

Look look_of(const Node& node) {
  if (node.state == "running") return Look::kGood;
  return node.reason.empty() ? Look::kDim : Look::kBad;
}

class Layout {
 public:
  Layout(const std::string& title, const std::vector<Node>& nodes, const Terminal& terminal)
      : terminal_(terminal) {
    bool wide = terminal.width >= kWideEnough;
    headers_ = {"RECORDS", "RATE", "LAG", "WRITTEN", wide ? "DEAD LETTERS" : "DEAD"};
    size_t longest = display_width(title);
    for (const auto& node : nodes) longest = std::max(longest, display_width(node.name));
    for (size_t i = 0; i < kColumns; ++i) {
      widths_[i] = headers_[i].size();
      for (const auto& node : nodes)
        if (node.reason.empty()) widths_[i] = std::max(widths_[i], node.numbers[i].size());
    }
    auto narrowest = std::min(longest, kNameWidthMin);
    for (auto column : kGiveWay)
      if (room_for_name() < narrowest) widths_[column] = 0;
    name_width_ = std::clamp<size_t>(room_for_name(), 1, longest);
  }

  std::string header(const std::string& title) const {
    return paint(begin(title, "STATE", Look::kPlain) + end(headers_, Look::kPlain), Look::kDim,
                 terminal_.colour);
  }
  std::string line(const Node& node) const {
    auto start = begin(node.name, node.state, look_of(node));
    if (!node.reason.empty()) {
      size_t used = name_width_ + kStateWidth + 2 * kGap.size();
      if (used >= terminal_.width) return start;
      auto reason = in_few_words(node.reason, terminal_.width - used);
      return start + std::string(kGap) + paint(reason, Look::kBad, terminal_.colour);
    }
    return start + end(node.numbers, node.has_dead_letters ? Look::kBad : Look::kPlain);
  }

 private:
  size_t room_for_name() const {
    size_t used = kGap.size() + kStateWidth;
    for (size_t width : widths_) used += width == 0 ? 0 : kGap.size() + width;
    return terminal_.width - std::min(terminal_.width, used);
  }
  std::string begin(const std::string& name, const std::string& state, Look look) const {
    auto shown = padded(cut_middle(name, name_width_), name_width_, false);
    return shown + std::string(kGap) +
           paint(padded(state, kStateWidth, false), look, terminal_.colour);
  }
  std::string end(const std::array<std::string, kColumns>& cells, Look dead_letters) const {
    std::string text;
    for (size_t i = 0; i < kColumns; ++i) {
      if (widths_[i] == 0) continue;
      auto cell = padded(cells[i], widths_[i], true);
      text += kGap;
      text += i == kDeadLetters ? paint(cell, dead_letters, terminal_.colour) : cell;
    }
    return text;
  }

  const Terminal& terminal_;
  std::array<std::string, kColumns> headers_;
  std::array<size_t, kColumns> widths_{};  // 0: left out
  size_t name_width_ = 0;
};

}  // namespace

std::vector<std::string> live_lines(const Json& status, const Terminal& terminal) {
  std::vector<Node> nodes;
  for (const auto& source : status.at("sources")) nodes.push_back(node_of(source, false));
  for (const auto& table : status.at("tables")) nodes.push_back(node_of(table, true));
  // The cursor stands in the terminal's last line.
  size_t room = std::max<size_t>(terminal.height, 4) - 2;
  size_t left_out = nodes.size() > room ? nodes.size() - (room - 1) : 0;
  const size_t shown = nodes.size() - left_out;
  nodes = choose(std::move(nodes), shown);

  auto title = fmt::format("{} {}", text(status, "pipeline"),
                           span_text(status.at("uptime_ms").get<int64_t>()));
  Layout layout(title, nodes, terminal);
  std::vector<std::string> lines = {layout.header(title)};
  for (const auto& node : nodes) lines.push_back(layout.line(node));
  if (left_out > 0)
    lines.push_back(paint(fmt::format("… {} more", left_out), Look::kDim, terminal.colour));
  return lines;
}

}  // namespace millrace::cli
