#include "infer/csv_items.h"

#include <nlohmann/json.hpp>

#include "sql/csv_split.h"
#include "sql/json_scalar.h"

namespace millrace::infer {
namespace {

using schema::Kind;

// A column of this kind has its fields as texts, and the empty ones are not there.
constexpr Kind kTexts = Kind::kDate;

// What the fields of one column look like.
struct Look {
  bool any = false;
  bool numbers = true;
  bool booleans = true;

  void take(const std::string& field) {
    any = true;
    numbers = numbers && sql::is_json_number(field);
    booleans = booleans && (field == "true" || field == "false");
  }
  Kind kind() const {
    if (!any) return kTexts;
    return numbers ? Kind::kDouble : booleans ? Kind::kBoolean : kTexts;
  }
};

}  // namespace

Result<CsvItems> csv_items(std::string_view text) {
  CsvItems found;
  schema::Columns columns;
  for (auto& name : MR_TRY(sql::CsvSplitter({}).names(text)))
    columns.push_back({.name = std::move(name), .type = {.kind = kTexts}});
  sql::CsvSplitter texts(columns);
  auto rows = MR_TRY(texts.split(text));
  std::vector<bool> is_bad(rows.texts.size());
  for (const auto& bad : rows.bad) {
    is_bad[bad.row] = true;
    found.problems.push_back(bad.problem);
  }
  std::vector<Look> looks(columns.size());
  for (size_t row = 0; row < rows.texts.size(); ++row) {
    if (is_bad[row]) continue;
    auto item = nlohmann::json::parse(rows.texts[row], nullptr, false);
    for (size_t i = 0; i < columns.size(); ++i)
      if (auto field = item.find(columns[i].name); field != item.end())
        looks[i].take(field->get_ref<const std::string&>());
  }
  for (size_t i = 0; i < columns.size(); ++i) columns[i].type.kind = looks[i].kind();
  sql::CsvSplitter typed(columns);
  rows = MR_TRY(typed.split(text));
  for (size_t row = 0; row < rows.texts.size(); ++row)
    if (!is_bad[row]) found.items.emplace_back(rows.texts[row]);
  return found;
}

}  // namespace millrace::infer
