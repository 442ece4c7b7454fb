// Every case of testdata/*.case is run: a SELECT over records, and the rows, columns, failures or
// problem that it must have. A file is lines:
//
//   # anything                 a comment, before the first section of a case
//   === what this case shows
//   --- properties             of the records' JSON Schema, or --- schema for all of it; stays for
//                              the cases after it
//   --- select                 FROM input; SELECT * without it
//   --- expect                 name: condition, one a line
//   --- records                one a line; @(3*ab)@ stands for ababab, @(0xff)@ for that byte
//   --- rows                   JSON, one a line, likewise
//   --- columns                name TYPE, one a line
//   --- failures               RECORD STAGE[ RULE]: ERROR, one a line; … at its end: begins so
//   --- problem                LINE:COLUMN MESSAGE of the SELECT, or of 'expect NUMBER'; likewise
//
// A case says rows, failures or problem; what it does not say must be none. It is run with all its
// records in one batch and with each alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "schema/json_schema.h"
#include "sql/test_rows.h"

namespace millrace::sql {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string file;
  std::string title;
  std::map<std::string, std::vector<std::string>> sections;

  std::vector<std::string> lines(const std::string& section) const {
    auto found = sections.find(section);
    return found == sections.end() ? std::vector<std::string>{} : found->second;
  }
  std::string text(const std::string& section) const {
    return fmt::format("{}", fmt::join(lines(section), "\n"));
  }
  friend void PrintTo(const Case& test, std::ostream* out) { *out << test.title; }
};

// @(3*ab)@ and @(0xff)@ in a line.
std::string expanded(std::string_view line) {
  std::string result;
  while (true) {
    size_t open = line.find("@(");
    result += line.substr(0, open);
    if (open == std::string_view::npos) return result;
    size_t close = line.find(")@", open);
    std::string_view inside = line.substr(open + 2, close - open - 2);
    line.remove_prefix(close + 2);
    int number = 0;
    if (inside.starts_with("0x")) {
      std::from_chars(inside.data() + 2, inside.data() + inside.size(), number, 16);
      result += static_cast<char>(number);
      continue;
    }
    auto parsed = std::from_chars(inside.data(), inside.data() + inside.size(), number);
    auto repeated = inside.substr(static_cast<size_t>(parsed.ptr - inside.data()) + 1);
    for (int i = 0; i < number; ++i) result += repeated;
  }
}

std::vector<Case> load_cases() {
  std::vector<Case> cases;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(MILLRACE_SOURCE_DIR "/src/sql/testdata"))
    paths.push_back(entry.path());
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    Case current{.file = path.stem().string()};
    std::vector<std::string>* section = nullptr;
    std::ifstream file(path);
    auto finish = [&] {
      if (!current.title.empty()) cases.push_back(current);
    };
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("=== ")) {
        finish();
        current.title = line.substr(4);
        std::erase_if(current.sections, [](const auto& known) {
          return known.first != "properties" && known.first != "schema";
        });
        section = nullptr;
      } else if (line.starts_with("--- ")) {
        std::string name = line.substr(4);
        if (name == "schema") current.sections.erase("properties");
        if (name == "properties") current.sections.erase("schema");
        section = &current.sections[name];
        section->clear();
      } else if (section != nullptr && !line.empty()) {
        section->push_back(expanded(line));
      }
    }
    finish();
  }
  return cases;
}

std::string test_name(const testing::TestParamInfo<Case>& info) {
  std::string name = fmt::format("{}_{}", info.param.file, info.param.title);
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return fmt::format("{}_{}", name, info.index);
}

// "2:5" of a byte position.
std::string line_and_column(std::string_view text, size_t position) {
  auto before = text.substr(0, position);
  auto line = 1 + std::ranges::count(before, '\n');
  size_t start = before.rfind('\n') + 1;
  return fmt::format("{}:{}", line, position - start + 1);
}

bool agrees(std::string_view actual, std::string_view wanted) {
  constexpr std::string_view kMore = "…";
  if (!wanted.ends_with(kMore)) return actual == wanted;
  return actual.starts_with(wanted.substr(0, wanted.size() - kMore.size()));
}

void expect_lines(const std::vector<std::string>& actual, const std::vector<std::string>& wanted,
                  const char* what) {
  std::string differences;
  for (size_t i = 0; i < std::max(actual.size(), wanted.size()); ++i) {
    std::string got = i < actual.size() ? actual[i] : "nothing";
    std::string want = i < wanted.size() ? wanted[i] : "nothing";
    if (!agrees(got, want))
      differences +=
          fmt::format("\n{} {} is     {:.500}\n  should be {:.500}", what, i + 1, got, want);
  }
  EXPECT_TRUE(differences.empty()) << differences;
}

struct Ran {
  std::vector<std::string> rows;
  std::vector<std::string> failures;
};

class CaseTest : public testing::TestWithParam<Case> {
 protected:
  std::expected<Transform, SqlProblem> prepare(Engine& engine) {
    const Case& test = GetParam();
    std::string text = test.text("schema");
    if (text.empty())
      text = fmt::format(R"({{"type": "object", "properties": {}}})", test.text("properties"));
    auto columns = schema::columns_from_json_schema(text);
    EXPECT_TRUE(columns) << columns.error().message();
    TransformSpec spec{"input", columns ? *columns : schema::Columns{}, test.text("select"), {}};
    if (spec.select.empty()) spec.select = "SELECT * FROM input";
    for (const auto& line : test.lines("expect")) {
      size_t colon = line.find(": ");
      spec.expectations.push_back({line.substr(0, colon), line.substr(colon + 2)});
    }
    return Transform::prepare(engine, std::move(spec));
  }

  void check_problem(const SqlProblem& problem) {
    const Case& test = GetParam();
    std::string select = test.text("select");
    std::string place;
    if (problem.part == SqlProblem::Part::kExpectation) {
      select = test.lines("expect")[problem.expectation];
      select.erase(0, select.find(": ") + 2);
      place = fmt::format("expect {} ", problem.expectation + 1);
    }
    place += line_and_column(select, problem.position);
    expect_lines({fmt::format("{} {}", place, problem.message)}, test.lines("problem"), "problem");
  }

  // Runs all records; those of `alone` one by one.
  Ran run(Transform& transform, bool alone) {
    Ran ran;
    auto texts = GetParam().lines("records");
    PaddedTexts records(texts, alone ? '"' : '1');
    size_t step = alone ? 1 : std::max<size_t>(1, texts.size());
    for (size_t begin = 0; begin < texts.size(); begin += step) {
      JsonRows output(transform.columns());
      std::vector<Failure> failures;
      auto counts = transform.run(records.views().subspan(begin, step), output, failures);
      EXPECT_TRUE(counts) << counts.error().message();
      EXPECT_TRUE(std::ranges::is_sorted(output.records));
      EXPECT_EQ(counts ? counts->failed : 0, failures.size());
      ran.rows.insert(ran.rows.end(), output.json.begin(), output.json.end());
      for (const auto& failure : failures)
        ran.failures.push_back(
            fmt::format("{} {}{}{}: {}", begin + failure.record + 1, to_string(failure.stage),
                        failure.rule.empty() ? "" : " ", failure.rule, failure.error));
    }
    return ran;
  }
};

TEST_P(CaseTest, Holds) {
  const Case& test = GetParam();
  SCOPED_TRACE(fmt::format("{}: {}", test.file, test.title));
  auto engine = Engine::open({});
  auto transform = prepare(**engine);
  if (!transform) return check_problem(transform.error());
  EXPECT_TRUE(test.lines("problem").empty()) << "this SELECT is accepted";
  if (auto wanted = test.lines("columns"); !wanted.empty()) {
    std::vector<std::string> columns;
    for (const auto& column : transform->columns())
      columns.push_back(fmt::format("{} {}", column.name, schema::to_sql(column.type)));
    expect_lines(columns, wanted, "column");
  }
  for (bool alone : {false, true}) {
    SCOPED_TRACE(alone ? "each record alone" : "all records in one batch");
    auto ran = run(*transform, alone);
    expect_lines(ran.rows, test.lines("rows"), "row");
    expect_lines(ran.failures, test.lines("failures"), "failure");
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, CaseTest, testing::ValuesIn(load_cases()), test_name);

}  // namespace
}  // namespace millrace::sql
