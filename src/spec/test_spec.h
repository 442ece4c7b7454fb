// The tests of a pipeline file: items or records that go in, rows that are to come out.
#pragma once

#include <string>
#include <vector>

#include "spec/place.h"

namespace millrace::spec {

// What a test gives to a source (items) or to a topic (records).
struct TestInput {
  std::string name;
  Place place;
  std::vector<std::string> values;  // JSON texts
};

struct TestCell {
  std::string column;
  Place place;  // of its name
  std::string json;
};

struct TestRow {
  Place place;
  std::vector<TestCell> cells;
};

// What a test wants of a table or a topic: so many rows, with these values.
struct TestRows {
  std::string name;
  Place place;
  std::vector<TestRow> rows;
};

struct TestSpec {
  std::string name;
  Place place;
  std::vector<TestInput> given;
  std::vector<TestRows> want;
  std::vector<TestRows> dead_letters;  // by source or table; the columns are kDeadLetterColumns
};

// What a test can say about a dead letter: the expectation's name; "decode", "sql" or "expect"; a
// part of the error's text.
inline constexpr const char* kDeadLetterColumns[] = {"rule", "stage", "error"};

}  // namespace millrace::spec
