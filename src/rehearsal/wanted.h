// What a test wants, as values of the columns it names.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rehearsal/match.h"
#include "schema/type.h"
#include "spec/spec.h"
#include "sql/engine.h"

namespace millrace::rehearsal {

// A table or a topic.
struct Relation {
  std::string name;
  schema::Columns columns;
  std::vector<size_t> key;  // positions of the primary key's columns
};

// The rows that several tests want of one relation, in step with `of_tests`: each value as JSON
// text the way its column's type is written. Adds to `problems` columns that are not there, and
// values that are none of their column's type.
std::vector<std::vector<WantedRow>> read_wanted(sql::Engine& engine, const Relation& relation,
                                                std::span<const spec::TestRows* const> of_tests,
                                                std::vector<spec::Problem>& problems);

// The same of dead letters; columns are positions in spec::kDeadLetterColumns.
std::vector<WantedRow> read_wanted_dead_letters(const spec::TestRows& rows,
                                                std::vector<spec::Problem>& problems);

}  // namespace millrace::rehearsal
