#include "spec/keys_tests.h"

#include "spec/test_value.h"

namespace millrace::spec {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kDeadLetters = "dead_letters";

const NameRule kTestName = {"a test's name", "^[a-z_][a-z0-9_]*$",
                            "lower-case letters, digits and _, beginning with a letter or _"};
// Whether there is such a source, topic or table is checked later, with better words.
const NameRule kAnyName = {"a name", "^.+$", "it is empty"};

Json list_schema(const Json& of) {
  return {{"type", "array"}, {"items", of}};
}

template <class T>
void set_name(T& to, const std::string& name, const Place& place) {
  to.name = name;
  to.place = place;
}

// The elements of a list; none: it is no list, which is reported.
std::vector<Item> elements(Reader& reader, const Item& item, std::string_view expected) {
  std::vector<Item> found;
  if (!item.node.IsSequence()) {
    reader.unexpected(item, expected, item.node.IsMap() ? "a map" : "no list");
    return found;
  }
  for (const auto& node : item.node) found.push_back({node, reader.place(node)});
  return found;
}

Value<TestInput> input() {
  return {{"list of JSON values", list_schema(Json::object()), {}},
          [](Reader& reader, const Item& item, TestInput& to) {
            for (const auto& element : elements(reader, item, "a list of items"))
              if (auto json = json_of(reader, element)) to.values.push_back(*std::move(json));
          }};
}

void read_row(Reader& reader, const Item& item, TestRow& row) {
  row.place = item.named;
  if (!item.node.IsMap())
    return reader.unexpected(item, "a row: a map from column to value", "no map");
  for (const auto& pair : item.node) {
    auto place = reader.place(pair.first);
    if (!pair.first.IsScalar()) {
      reader.error(place, "expected a column before the ':'");
      continue;
    }
    const auto& column = pair.first.Scalar();
    if (std::ranges::find(row.cells, column, &TestCell::column) != row.cells.end())
      reader.error(place, "{} stands here a second time", in_quotes(column));
    else if (auto json = json_of(reader, {pair.second, place}))
      row.cells.push_back({column, place, *std::move(json)});
  }
}

Value<TestRows> rows() {
  return {{"list of rows", list_schema({{"type", "object"}}), {}},
          [](Reader& reader, const Item& item, TestRows& to) {
            for (const auto& element : elements(reader, item, "a list of rows"))
              read_row(reader, element, to.rows.emplace_back());
          }};
}

// `want`: rows by table or topic, and beside them `dead_letters`.
Value<TestSpec> want() {
  auto all = map_of(kAnyName, rows(), set_name<TestRows>);
  Json schema = {{"type", "object"},
                 {"properties", {{std::string(kDeadLetters), all.shape.schema}}},
                 {"additionalProperties", rows().shape.schema}};
  return {{"map from name to list of rows", std::move(schema), {}},
          [all](Reader& reader, const Item& item, TestSpec& to) {
            for (const auto& entry :
                 reader.entries(item, "a map from table or topic to a list of rows")) {
              if (entry.item.node.IsNull()) continue;
              if (entry.key == kDeadLetters) {
                all.read(reader, entry.item, to.dead_letters);
                continue;
              }
              set_name(to.want.emplace_back(), entry.key, entry.item.named);
              rows().read(reader, entry.item, to.want.back());
            }
          }};
}

Object<TestSpec> test() {
  return {
      "test",
      "Items that go in and rows that are to come out; `millrace test` runs it in memory, through "
      "the same SQL, expectations and key rules as the pipeline.",
      {
          key("given", &TestSpec::given, map_of(kAnyName, input(), set_name<TestInput>),
              "By source its items, by topic its records, as YAML: `76100` is a number, "
              "`\"76100\"` "
              "text.")
              .required(),
          key("want", want(),
              "By table or topic its rows, in any order: so many, with these values in the columns "
              "named. `dead_letters` has by source or table the `rule`, the `stage` or a part of "
              "the `error` of each record refused; one that is not wanted fails the test.")
              .required(),
      }};
}

}  // namespace

Value<std::vector<TestSpec>> tests() {
  return map_of(kTestName, object(test()), set_name<TestSpec>);
}

}  // namespace millrace::spec
