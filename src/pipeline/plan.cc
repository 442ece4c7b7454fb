#include "pipeline/plan.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "pipeline/dead_letters.h"
#include "schema/avro.h"
#include "topic/key.h"

namespace millrace::pipeline {
namespace {

using spec::Problem;

void let_be_null(schema::Type& type) {
  for (auto& child : type.children) {
    if (type.kind == schema::Kind::kStruct && !child.required) child.nullable = true;
    let_be_null(child.type);
  }
}

// In a topic's values null says the same as no field: what need not be there may be null.
schema::Columns with_null_for_absent(schema::Columns columns) {
  schema::Type row{.kind = schema::Kind::kStruct, .children = std::move(columns)};
  let_be_null(row);
  return std::move(row.children);
}

class Planner {
 public:
  Planner(sql::Engine& engine, const spec::Pipeline& pipeline, std::vector<Problem>& problems)
      : engine_(engine), pipeline_(pipeline), problems_(problems) {}

  Plan plan() {
    Plan plan{.name = pipeline_.name};
    for (const auto& source : pipeline_.sources) add_source(plan, source);
    for (const auto& spec : pipeline_.topics)
      if (find_topic(spec.name) == nullptr && !spec.columns.empty())
        add_topic(spec, with_null_for_absent(spec.columns));
    for (const auto& table : pipeline_.tables) add_table(plan, table);
    for (const auto& spec : pipeline_.topics) check_name(spec);
    return plan;
  }

 private:
  void error(const spec::Place& place, std::string message) {
    problems_.push_back({Problem::Severity::kError, place, std::move(message)});
  }
  void warning(const spec::Place& place, std::string message) {
    problems_.push_back({Problem::Severity::kWarning, place, std::move(message)});
  }
  // `expectations`: in step with the transform's, for their places.
  void error(const sql::SqlProblem& problem, const spec::Sql& select,
             const std::vector<spec::Expectation>& expectations = {}) {
    bool of_expectation = problem.part == sql::SqlProblem::Part::kExpectation &&
                          problem.expectation < expectations.size();
    const auto& sql = of_expectation ? expectations[problem.expectation].condition : select;
    error(sql.at(problem.position), problem.message);
  }
  void error(const sql::SqlProblem& problem, const spec::TableSpec& table) {
    if (problem.part == sql::SqlProblem::Part::kTtl)
      return error(table.ttl.at(problem.position), "ttl: " + problem.message);
    error(problem, table.from, table.expect);
  }

  // Dead letters may be taken back, and are kept for ever: no node feeds, reads or cuts them.
  void check_name(const spec::TopicSpec& spec) {
    if (!is_dead_letters_topic(spec.name)) return;
    error(spec.place,
          fmt::format("'{}' is a name of dead letters, whose topics are made by themselves: give "
                      "this one a name that does not end with '{}'",
                      spec.name, kDeadLettersSuffix));
  }

  const topic::TopicDefinition* find_topic(std::string_view name) const {
    auto found = std::ranges::find(topics_, name, &topic::TopicDefinition::name);
    return found == topics_.end() ? nullptr : &*found;
  }

  void add_topic(const spec::TopicSpec& spec, schema::Columns columns) {
    auto key = spec.key;
    std::erase_if(key, [&](const std::string& name) { return !check_key(spec, name, columns); });
    bool is_avro = spec.format == spec::ValueFormat::kAvro;
    if (is_avro)
      if (auto schema = schema::to_avro_schema(columns, spec.name); !schema)
        error(spec.place, schema.error().message());
    topics_.push_back({.name = spec.name,
                       .columns = std::move(columns),
                       .key = std::move(key),
                       .partitions = spec.partitions,
                       .avro = is_avro ? std::make_shared<sql::AvroSchemas>() : nullptr});
  }

  // Whether a topic's column can be in its key.
  bool check_key(const spec::TopicSpec& spec, const std::string& name,
                 const schema::Columns& columns) {
    auto column = std::ranges::find(columns, name, &schema::Field::name);
    if (column == columns.end()) {
      error(spec.key_place, fmt::format("topic {} has no column '{}' to be its key{}", spec.name,
                                        name, meant(name, columns)));
      return false;
    }
    if (topic::can_be_key(column->type)) return true;
    error(spec.key_place, fmt::format("column '{}' is {}, which cannot be a key: name its parts "
                                      "as columns of their own",
                                      name, schema::to_sql(column->type)));
    return false;
  }

  static std::string meant(const std::string& word, const schema::Columns& columns) {
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column.name);
    std::string near = did_you_mean(word, names);
    return near.empty() ? fmt::format("; it has {}", fmt::join(names, ", "))
                        : fmt::format("; did you mean '{}'?", near);
  }

  void add_source(Plan& plan, const spec::SourceSpec& source) {
    auto transform = sql::Transform::prepare(
        engine_, {.input = source.name, .columns = source.columns, .select = source.select.text});
    if (!transform) return error(transform.error(), source.select);
    const auto* topic = pipeline_.find_topic(source.to);
    if (topic == nullptr) return;  // spec has said so
    add_topic(*topic, transform->columns());
    plan.sources.push_back({source, topics_.back(), std::move(*transform)});
  }

  void add_table(Plan& plan, const spec::TableSpec& table) {
    auto input = sql::input_of(engine_, table.from.text);
    if (!input) return error(input.error(), table.from);
    const auto* topic = find_topic(*input);
    if (topic == nullptr) return unknown_topic(table, *input);

    std::vector<sql::Condition> conditions;
    for (const auto& expectation : table.expect)
      conditions.push_back({expectation.name, expectation.condition.text});
    sql::TransformSpec spec{.input = *input,
                            .columns = topic->columns,
                            .select = table.from.text,
                            .expectations = conditions,
                            .ttl = table.ttl.text,
                            .avro = topic->avro};
    auto transform = sql::Transform::prepare(engine_, spec);
    if (!transform) return error(transform.error(), table);

    auto key = key_condition(table, transform->columns());
    if (!key) return;
    // Last, so that the user's own rules are named first.
    spec.expectations.push_back({std::string(kPrimaryKeyRule), *key});
    auto with_key = sql::Transform::prepare(engine_, spec);
    if (!with_key) return error(with_key.error(), table.from);
    auto columns = with_key->columns();
    auto erased_by = key_columns(table, *topic, *with_key);
    plan.tables.push_back({table,
                           *topic,
                           {.keyspace = table.keyspace,
                            .name = table.name,
                            .columns = std::move(columns),
                            .partition_key = table.partition_key,
                            .clustering_key = table.clustering_key,
                            .topic = *input,
                            .select = spec.select,
                            .expectations = std::move(spec.expectations),
                            .ttl = std::move(spec.ttl)},
                           std::move(erased_by),
                           std::move(*with_key)});
  }

  // The topic's key columns that the primary key's are, where they are all of them.
  std::vector<std::string> key_columns(const spec::TableSpec& table,
                                       const topic::TopicDefinition& topic,
                                       const sql::Transform& transform) {
    std::vector<std::string> found;
    std::string not_found;
    auto look = [&](const std::string& name) {
      auto input = transform.input_column(name);
      if (input && std::ranges::find(topic.key, *input) != topic.key.end() &&
          std::ranges::find(found, *input) == found.end())
        found.push_back(*input);
      else if (not_found.empty())
        not_found = fmt::format("'{}' of the primary key is no column of that key", name);
    };
    for (const auto& name : table.partition_key) look(name);
    for (const auto& name : table.clustering_key) look(name);
    if (not_found.empty() && found.size() == topic.key.size()) return found;
    if (not_found.empty()) not_found = "the primary key has fewer columns";
    // A source makes no records without a value.
    auto is_feeding = [&](const spec::SourceSpec& source) { return source.to == topic.name; };
    if (!topic.key.empty() && std::ranges::none_of(pipeline_.sources, is_feeding))
      warning(table.key_place,
              fmt::format("records of topic {} without a value erase nothing here, and count as "
                          "filtered: its key is {}, and {}",
                          topic.name, fmt::join(topic.key, ", "), not_found));
    return {};
  }

  void unknown_topic(const spec::TableSpec& table, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& topic : topics_) names.push_back(topic.name);
    // A source whose own SQL is wrong has no columns yet; that problem says enough.
    if (pipeline_.find_topic(name) != nullptr) return;
    std::string near = did_you_mean(name, names);
    std::string advice = near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
    if (std::ranges::find(pipeline_.tables, name, &spec::TableSpec::name) != pipeline_.tables.end())
      advice = "; a table reads a topic, not a table";
    size_t at = table.from.text.find(name);
    error(table.from.at(at == std::string::npos ? 0 : at),
          fmt::format("there is no topic '{}' to read{}", name, advice));
  }

  // SQL that is true where a row has a whole primary key; nullopt where a column is missing.
  std::optional<std::string> key_condition(const spec::TableSpec& table,
                                           const schema::Columns& columns) {
    std::string condition;
    bool whole = true;
    auto require = [&](const std::string& name, bool of_partition) {
      auto column = std::ranges::find(columns, name, &schema::Field::name);
      if (column == columns.end()) {
        error(table.key_place, fmt::format("table {} has no column '{}' for its primary key{}",
                                           table.full_name(), name, meant(name, columns)));
        whole = false;
        return;
      }
      std::string quoted = fmt::format("\"{}\"", name);
      condition += fmt::format("{}{} IS NOT NULL", condition.empty() ? "" : " AND ", quoted);
      // CQL has no empty partition key, and no value of a key beyond 16 bits of length.
      bool text = column->type.kind == schema::Kind::kVarchar;
      if (!text && column->type.kind != schema::Kind::kBlob) return;
      bool may_be_empty = !of_partition || table.partition_key.size() > 1;
      condition += fmt::format(" AND {}({}) BETWEEN {} AND 65535", text ? "strlen" : "octet_length",
                               quoted, may_be_empty ? 0 : 1);
    };
    for (const auto& name : table.partition_key) require(name, true);
    for (const auto& name : table.clustering_key) require(name, false);
    return whole ? std::optional(condition) : std::nullopt;
  }

  sql::Engine& engine_;
  const spec::Pipeline& pipeline_;
  std::vector<Problem>& problems_;
  std::vector<topic::TopicDefinition> topics_;
};

}  // namespace

Plan make_plan(sql::Engine& engine, const spec::Pipeline& pipeline,
               std::vector<Problem>& problems) {
  return Planner(engine, pipeline, problems).plan();
}

}  // namespace millrace::pipeline
