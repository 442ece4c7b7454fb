#include "spec/names.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace millrace::spec {
namespace {

using Json = nlohmann::ordered_json;

const Json kText = {{"type", "string"}};

// One name or a list of them; empty: reported.
std::vector<std::string> read_names(Reader& reader, const Item& item, std::string_view expected) {
  std::vector<std::string> names;
  std::vector<YAML::Node> nodes;
  if (!item.node.IsSequence()) nodes.push_back(item.node);
  for (const auto& node : item.node)
    if (item.node.IsSequence()) nodes.push_back(node);
  for (const auto& node : nodes) {
    auto name = reader.plain({node, item.named}, expected);
    if (!name) return {};
    if (name->empty()) {
      reader.unexpected({node, item.named}, expected, "nothing");
      return {};
    }
    names.push_back(*std::move(name));
  }
  if (names.empty()) reader.unexpected(item, expected, "an empty list");
  return names;
}

void check_twice(Reader& reader, const Item& item, std::vector<std::string> columns,
                 std::string_view where) {
  std::ranges::sort(columns);
  if (auto twice = std::ranges::adjacent_find(columns); twice != columns.end())
    reader.error(reader.place(item.node), "column {} stands in {} twice", in_quotes(*twice), where);
}

void read_primary_key(Reader& reader, const Item& item, TableSpec& table) {
  constexpr std::string_view kExpected = "a column, or a list such as [id] or [[a, b], c]";
  // Initialized once: to assign to a YAML::Node is to change the document.
  YAML::Node first =
      item.node.IsSequence() && item.node.size() > 0 ? item.node[0] : YAML::Node(item.node);
  table.partition_key = read_names(reader, {first, item.named}, kExpected);
  for (size_t i = 1; item.node.IsSequence() && i < item.node.size(); ++i) {
    auto column = reader.plain({item.node[i], item.named}, kExpected);
    if (!column) return;
    if (column->empty()) return reader.unexpected(item, kExpected, "a column without a name");
    table.clustering_key.push_back(*std::move(column));
  }
  auto all = table.partition_key;
  all.insert(all.end(), table.clustering_key.begin(), table.clustering_key.end());
  check_twice(reader, item, std::move(all), "the primary key");
}

}  // namespace

Value<std::vector<std::string>> path() {
  Json list = {{"type", "array"}, {"items", kText}};
  return {{"path", {{"anyOf", {kText, list}}}, {}},
          [](Reader& reader, const Item& item, std::vector<std::string>& to) {
            constexpr std::string_view kExpected = "a path such as results or data.users";
            auto keys = read_names(reader, item, kExpected);
            if (keys.empty() || item.node.IsSequence()) {
              to = std::move(keys);
              return;
            }
            std::string_view rest = keys[0];
            for (bool more = true; more;) {
              auto key = rest.substr(0, rest.find('.'));
              if (key.empty()) return reader.unexpected(item, kExpected, in_quotes(keys[0]));
              to.emplace_back(key);
              more = key.size() < rest.size();
              rest.remove_prefix(std::min(key.size() + 1, rest.size()));
              if (more && rest.empty())
                return reader.unexpected(item, kExpected, in_quotes(keys[0]));
            }
          }};
}

Value<std::vector<std::string>> columns() {
  Json list = {{"type", "array"}, {"minItems", 1}, {"items", kText}};
  return {{"column, or list of columns", {{"anyOf", {kText, list}}}, {}},
          [](Reader& reader, const Item& item, std::vector<std::string>& to) {
            to = read_names(reader, item, "a column, or a list such as [a, b]");
            check_twice(reader, item, to, "the key");
          }};
}

Value<TableSpec> primary_key() {
  Json list = {{"type", "array"},
               {"minItems", 1},
               {"items", {{"anyOf", {kText, {{"type", "array"}, {"items", kText}}}}}}};
  return {{"column, or list of columns", {{"anyOf", {kText, list}}}, {}}, read_primary_key};
}

}  // namespace millrace::spec
