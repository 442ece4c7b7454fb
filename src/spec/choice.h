// Values that are one of a few words.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spec/value.h"

namespace millrace::spec {

Shape choice_shape(const std::vector<std::string>& words);
// Which of the words it is; nullopt: none, which is reported.
std::optional<size_t> read_choice(Reader& reader, const Item& item,
                                  const std::vector<std::string>& words);

// One of a few words, each of which stands for a T.
template <class T>
Value<T> choice(std::vector<std::pair<std::string, T>> choices) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) words.push_back(word);
  return {choice_shape(words),
          [choices, words](Reader& reader, const Item& item, T& to) {
            auto at = read_choice(reader, item, words);
            if (at) to = choices[*at].second;
          },
          [choices](const T& value) {
            auto found = std::ranges::find(choices, value, &std::pair<std::string, T>::second);
            return found == choices.end() ? std::string() : found->first;
          }};
}

}  // namespace millrace::spec
