#include "sql/csv_split.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "sql/json_scalar.h"
#include "sql/json_split.h"
#include "sql/json_writer.h"

namespace millrace::sql {

namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
// Each costs a look at the whole rest of the response; then fields have to end in their line.
constexpr int kEndlessFieldsMax = 100;

struct CsvField {
  std::string_view text;  // of a quoted one, what is between the quotes, as written
  bool quoted = false;
};

std::string unquoted(const CsvField& field) {
  std::string text(field.text);
  if (!field.quoted) return text;
  for (size_t at = 0; (at = text.find("\"\"", at)) != text.npos; ++at) text.erase(at, 1);
  return text;
}

// The end of the line at `begin`, before its line break.
size_t line_end(std::string_view text, size_t begin) {
  size_t end = std::min(text.find('\n', begin), text.size());
  return end > begin && text[end - 1] == '\r' ? end - 1 : end;
}

size_t next_line(std::string_view text, size_t begin) {
  size_t end = text.find('\n', begin);
  return end == text.npos ? text.size() : end + 1;
}

bool same_word(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? c | 32 : c; });
}

}  // namespace

struct CsvSplitter::Impl {
  schema::Columns columns;
  char separator = ',';
  std::string_view text;
  size_t at = 0;  // of the row being read
  int endless_fields = 0;
  std::vector<CsvField> fields;
  std::vector<std::string> keys;                 // `"id":`, by position in a row
  std::vector<const schema::Field*> column_of;   // likewise; null: none
  std::string json;                              // of all rows, one after another
  std::vector<std::pair<size_t, size_t>> spans;  // in json
  std::vector<std::string_view> texts;
  std::vector<BadRow> bad;

  // Reads the fields of the row at `at` and moves behind it; what is wrong with it, or "".
  std::string read_row();
  std::string read_quoted(size_t& position);
  void choose_separator();
  void begin(std::string_view response);
  Result<std::vector<std::string>> read_names();
  Result<void> read_header();
  void append_value(const CsvField& field, const schema::Field* column);
  void append_row();
};

// `position` is behind the opening quote; afterwards behind the closing one.
std::string CsvSplitter::Impl::read_quoted(size_t& position) {
  size_t begin = position;
  size_t end_of_line = line_end(text, begin);
  size_t end = endless_fields < kEndlessFieldsMax ? text.size() : end_of_line;
  while (true) {
    size_t quote = std::min(text.find('"', position), end);
    if (quote >= end) {
      ++endless_fields;
      return "a quoted field without an end";
    }
    position = quote + 1;
    if (position < end && text[position] == '"') {
      ++position;
      continue;
    }
    fields.push_back({text.substr(begin, quote - begin), true});
    return "";
  }
}

std::string CsvSplitter::Impl::read_row() {
  fields.clear();
  size_t begin = at;
  size_t position = at;
  // Behind a bad row the next line is a row again.
  auto give_up = [&](std::string problem) {
    at = next_line(text, begin);
    return problem;
  };
  while (true) {
    if (position < text.size() && text[position] == '"') {
      ++position;
      if (auto problem = read_quoted(position); !problem.empty()) return give_up(problem);
    } else {
      size_t end = std::min(text.find(separator, position), line_end(text, position));
      auto field = text.substr(position, end - position);
      if (field.contains('"')) return give_up("a quote in the middle of a field");
      fields.push_back({field, false});
      position = end;
    }
    if (position < text.size() && text[position] == separator) {
      ++position;
      continue;
    }
    if (position != line_end(text, position)) return give_up("text behind a closing quote");
    at = next_line(text, position);
    return "";
  }
}

void CsvSplitter::Impl::choose_separator() {
  auto header = text.substr(0, line_end(text, 0));
  separator = ',';
  for (char other : {';', '\t'})
    if (!header.contains(',') && header.contains(other)) separator = other;
}

void CsvSplitter::Impl::begin(std::string_view response) {
  if (response.starts_with(kByteOrderMark)) response.remove_prefix(kByteOrderMark.size());
  text = response;
  at = 0;
  endless_fields = 0;
}

Result<std::vector<std::string>> CsvSplitter::Impl::read_names() {
  choose_separator();
  if (auto problem = read_row(); !problem.empty())
    return fail(ErrorCode::kInvalid, "the first row, which names the columns, has {}: {}", problem,
                excerpt(text.substr(0, line_end(text, 0))));
  std::vector<std::string> names;
  for (const auto& field : fields) names.push_back(unquoted(field));
  return names;
}

Result<void> CsvSplitter::Impl::read_header() {
  auto names = MR_TRY(read_names());
  keys.clear();
  column_of.clear();
  bool any_known = false;
  for (const auto& name : names) {
    std::string key;
    append_json_string(name, key);
    key += ':';
    if (std::ranges::find(keys, key) != keys.end())
      return fail(ErrorCode::kInvalid, "the first row names column '{}' twice", excerpt(name));
    keys.push_back(std::move(key));
    auto column = std::ranges::find(columns, name, &schema::Field::name);
    column_of.push_back(column == columns.end() ? nullptr : &*column);
    any_known |= column != columns.end();
  }
  if (!any_known)
    return fail(ErrorCode::kInvalid,
                "the first row of a CSV response names its columns, and none of these is in the "
                "schema: {}",
                excerpt(text.substr(0, line_end(text, 0))));
  return {};
}

void CsvSplitter::Impl::append_value(const CsvField& field, const schema::Field* column) {
  auto kind = column == nullptr ? schema::Kind::kVarchar : column->type.kind;
  using enum schema::Kind;
  bool is_number = kind >= kTinyInt && kind <= kDecimal;
  if (is_number && is_json_number(field.text)) {
    json += field.text;
  } else if (kind == kBoolean && same_word(field.text, "true")) {
    json += "true";
  } else if (kind == kBoolean && same_word(field.text, "false")) {
    json += "false";
  } else {
    append_json_string(unquoted(field), json);
  }
}

void CsvSplitter::Impl::append_row() {
  size_t begin = json.size();
  char before = '{';
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto* column = column_of[i];
    bool is_text = column == nullptr || column->type.kind == schema::Kind::kVarchar ||
                   column->type.kind == schema::Kind::kBlob;
    bool takes_empty = fields[i].quoted || (column != nullptr && !column->nullable);
    if (fields[i].text.empty() && !(is_text && takes_empty)) continue;
    json += before;
    before = ',';
    json += keys[i];
    append_value(fields[i], column);
  }
  if (before == '{') json += '{';
  json += '}';
  spans.emplace_back(begin, json.size() - begin);
}

CsvSplitter::CsvSplitter(schema::Columns columns) : impl_(std::make_unique<Impl>()) {
  impl_->columns = std::move(columns);
}
CsvSplitter::~CsvSplitter() = default;

Result<std::vector<std::string>> CsvSplitter::names(std::string_view response) {
  impl_->begin(response);
  if (impl_->text.empty()) return std::vector<std::string>{};
  return impl_->read_names();
}

Result<CsvSplitter::Rows> CsvSplitter::split(std::string_view response) {
  auto& impl = *impl_;
  impl.begin(response);
  response = impl.text;
  impl.json.clear();
  impl.spans.clear();
  impl.texts.clear();
  impl.bad.clear();
  if (response.empty()) return Rows{};
  MR_TRY(impl.read_header());
  while (impl.at < response.size()) {
    size_t begin = impl.at;
    if (line_end(response, begin) == begin) {
      impl.at = next_line(response, begin);
      continue;
    }
    auto problem = impl.read_row();
    auto raw = response.substr(begin, impl.at - begin);
    while (raw.ends_with('\n') || raw.ends_with('\r')) raw.remove_suffix(1);
    if (problem.empty() && impl.fields.size() != impl.keys.size())
      problem = fmt::format("{} fields instead of {}", impl.fields.size(), impl.keys.size());
    if (problem.empty() && !is_utf8(raw)) problem = "text that is not UTF-8";
    if (problem.empty()) {
      impl.append_row();
      impl.texts.emplace_back();
    } else {
      impl.bad.push_back({impl.texts.size(), fmt::format("the row has {}", problem)});
      impl.texts.push_back(raw);
    }
  }
  impl.json.append(kJsonPadding, '\0');
  auto bad = impl.bad.begin();
  auto span = impl.spans.begin();
  for (size_t i = 0; i < impl.texts.size(); ++i) {
    if (bad != impl.bad.end() && bad->row == i) {
      ++bad;
      continue;
    }
    impl.texts[i] = std::string_view(impl.json).substr(span->first, span->second);
    ++span;
  }
  return Rows{impl.texts, impl.bad};
}

}  // namespace millrace::sql
