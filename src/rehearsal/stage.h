// A pipeline in memory, for tests to be played on.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/plan.h"
#include "rehearsal/match.h"
#include "rehearsal/outcome.h"
#include "rehearsal/wanted.h"
#include "spec/spec.h"

namespace millrace::rehearsal {

// Belongs to one thread.
class Stage {
 public:
  // `plan`: of that pipeline, and whole; both outlive the Stage. Adds to `problems` what the tests
  // want and cannot be: columns that are not there, values that are none of their column's type.
  Stage(sql::Engine& engine, const spec::Pipeline& pipeline, pipeline::Plan& plan,
        std::vector<spec::Problem>& problems);

  // Plays one of the pipeline's tests, where there was no problem.
  // Errors: the engine's, for want of memory.
  Result<Outcome> run(const spec::TestSpec& test);

 private:
  // What one test made.
  struct Played {
    std::map<std::string, std::vector<std::string>> records;  // by topic, JSON texts
    std::map<std::string, std::vector<Row>> rows;             // by topic or table
    std::map<std::string, std::vector<Row>> dead_letters;     // by source or table
    Outcome outcome;
  };

  void read_all_wanted(sql::Engine& engine, const Relation& relation,
                       std::vector<spec::Problem>& problems);
  Result<void> play_source(pipeline::SourcePlan& source, const spec::TestInput& given,
                           Played& played);
  Result<void> play_table(pipeline::TablePlan& table, Played& played);
  void compare_rows(const spec::TestRows& want, Played& played);
  void compare_dead_letters(const spec::TestSpec& test, Played& played);

  const spec::Pipeline& pipeline_;
  pipeline::Plan& plan_;
  std::map<std::string, Relation> relations_;  // by name
  std::map<const spec::TestRows*, std::vector<WantedRow>> wanted_;
};

}  // namespace millrace::rehearsal
