// A pipeline file with its SQL compiled: what the nodes run.
#pragma once

#include <string>
#include <vector>

#include "spec/spec.h"
#include "sql/transform.h"
#include "table/table_definition.h"
#include "topic/topic_definition.h"

namespace millrace::pipeline {

struct SourcePlan {
  spec::SourceSpec spec;
  topic::TopicDefinition topic;
  sql::Transform transform;
};

struct TablePlan {
  spec::TableSpec spec;
  topic::TopicDefinition topic;
  table::TableDefinition definition;
  // The topic's key columns, in the order of the table's primary key, whose columns they are
  // unchanged; none: a record without a value erases nothing.
  std::vector<std::string> erased_by;
  sql::Transform transform;
};

// The rule that keeps rows without a primary key out of a table.
inline constexpr std::string_view kPrimaryKeyRule = "primary_key";

struct Plan {
  std::string name;
  std::vector<SourcePlan> sources;
  std::vector<TablePlan> tables;
};

// Compiles all SQL of a file that spec found no error in. Adds to `problems` what is wrong, with
// places; the plan is whole where it adds no error. Used by lint, which throws the plan away.
Plan make_plan(sql::Engine& engine, const spec::Pipeline& pipeline,
               std::vector<spec::Problem>& problems);

}  // namespace millrace::pipeline
