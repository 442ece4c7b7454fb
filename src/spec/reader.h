// Reads the values of one pipeline file and collects what is wrong with them.
#pragma once

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/file_text.h"
#include "spec/spec.h"
#include "spec/variables.h"

namespace millrace::spec {

// Of a pipeline file, and of each file that it names.
inline constexpr size_t kFileBytesMax = size_t{16} << 20;

// A value, and the place of the key that names it (of the value itself where there is no key).
struct Item {
  YAML::Node node;
  Place named;
};

struct Entry {
  std::string key;
  Item item;
};

class Reader {
 public:
  // Both outlive the Reader. File names in the file are relative to `folder`.
  Reader(const FileText& text, std::string folder, const Variables& variables)
      : text_(text), folder_(std::move(folder)), variables_(variables) {}

  Place place(const YAML::Node& node) const;

  template <class... Args>
  void error(const Place& place, fmt::format_string<Args...> format, Args&&... args) {
    report(Problem::Severity::kError, place, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void warning(const Place& place, fmt::format_string<Args...> format, Args&&... args) {
    report(Problem::Severity::kWarning, place, fmt::format(format, std::forward<Args>(args)...));
  }
  bool has_problems() const { return !problems_.empty(); }
  // By place.
  std::vector<Problem> take_problems();

  // The entries of a map, in order. Problems: it is no map (`expected` says what is wanted: "a map
  // from name to source"), a key twice (the first counts), a key without a value.
  std::vector<Entry> entries(const Item& item, std::string_view expected);

  // A value with its variables replaced; nullopt: it is none, which is then reported.
  std::optional<Text> text(const Item& item, std::string_view expected);
  // The same for what may be shown: a secret in it is a problem.
  std::optional<std::string> plain(const Item& item, std::string_view expected);
  std::optional<Sql> sql(const Item& item);

  // Reports that a value is not what was expected; `got` as the file says it.
  void unexpected(const Item& item, std::string_view expected, std::string_view got);

  // The content of a file named in this one; errors say which, and why not.
  Result<std::string> file(const std::string& name) const;
  // Where that file is.
  std::string path(const std::string& name) const;

 private:
  std::optional<Expanded> scalar(const Item& item, std::string_view expected, bool secrets);
  void report(Problem::Severity severity, const Place& place, std::string message);

  const FileText& text_;
  std::string folder_;
  const Variables& variables_;
  std::vector<Problem> problems_;
};

}  // namespace millrace::spec
