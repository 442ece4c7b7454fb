// The pages of a sample API, and what is to become of their items in a pipeline that refuses and
// filters some: what a crash test holds its pipeline against.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/sample.h"
#include "topic/topic_definition.h"

namespace millrace::pipeline {

// What becomes of the people of some nations.
inline constexpr std::string_view kRefusedBySource = "GB";
inline constexpr std::string_view kFilteredBySource = "US";
inline constexpr std::string_view kRefusedByTable = "FR";
inline constexpr std::string_view kFilteredByTable = "DE";

struct Person {
  std::string id;
  std::string nat;
};

// What the pages hold, from the first on, and so what must become of them.
class Pages {
 public:
  struct Refused {
    int64_t page;
    int64_t item;
    std::string id;
    bool operator==(const Refused&) const = default;
  };
  // After so many pages.
  struct After {
    std::vector<size_t> ends;  // of each partition
    int64_t items = 0;
    int64_t filtered = 0;
    size_t refused = 0;
  };

  Pages(std::string url, int32_t partitions)
      : url_(std::move(url)), records_(static_cast<size_t>(partitions)) {
    after_.push_back({.ends = std::vector<size_t>(records_.size())});
  }

  const After& after(int64_t pages) {
    while (after_.size() <= static_cast<size_t>(pages)) add();
    return after_[static_cast<size_t>(pages)];
  }
  // By offset; at least those of the pages asked for.
  const std::vector<Person>& records(size_t partition) const { return records_[partition]; }
  const std::vector<Refused>& refused() const { return refused_; }

 private:
  void add() {
    auto number = static_cast<int64_t>(after_.size());
    auto next = after_.back();
    auto text = *source::sample_response(fmt::format("{}&page={}", url_, number));
    auto people = nlohmann::json::parse(text)["results"];
    for (size_t i = 0; i < people.size(); ++i) {
      Person person{people[i]["login"]["uuid"], people[i]["nat"]};
      ++next.items;
      if (person.nat == kFilteredBySource) {
        ++next.filtered;
      } else if (person.nat == kRefusedBySource) {
        refused_.push_back({number, static_cast<int64_t>(i), person.id});
        ++next.refused;
      } else {
        auto partition =
            topic::partition_of(person.nat, static_cast<int32_t>(records_.size())).value;
        ++next.ends[static_cast<size_t>(partition)];
        records_[static_cast<size_t>(partition)].push_back(std::move(person));
      }
    }
    after_.push_back(std::move(next));
  }

  std::string url_;
  std::vector<std::vector<Person>> records_;
  std::vector<Refused> refused_;
  std::vector<After> after_;
};

}  // namespace millrace::pipeline
