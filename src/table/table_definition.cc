#include "table/table_definition.h"

#include <nlohmann/json.hpp>

namespace millrace::table {
namespace {

std::string to_metadata(const TableDefinition& definition) {
  auto expectations = nlohmann::json::array();
  for (const auto& condition : definition.expectations)
    expectations.push_back({{"name", condition.name}, {"sql", condition.sql}});
  nlohmann::json json{{"topic", definition.topic},
                      {"select", definition.select},
                      {"expectations", std::move(expectations)}};
  if (!definition.ttl.empty()) json["ttl"] = definition.ttl;
  return json.dump();
}

store::TableDefinition to_stored(const TableDefinition& definition) {
  return {.keyspace = definition.keyspace,
          .name = definition.name,
          .columns = definition.columns,
          .partition_key = definition.partition_key,
          .clustering_key = definition.clustering_key,
          .metadata = to_metadata(definition)};
}

Result<void> check_topic(const store::Table& existing, const TableDefinition& definition) {
  auto opened = MR_TRY(definition_of(existing));
  if (opened.topic == definition.topic) return {};
  return fail(ErrorCode::kConflict,
              "table {} is fed by topic {}, the pipeline file says {}: its offsets would mean "
              "other records; give the new topic to a table of another name",
              existing.definition().full_name(), opened.topic, definition.topic);
}

}  // namespace

Result<TableDefinition> definition_of(const store::Table& table) {
  const auto& stored = table.definition();
  TableDefinition definition{.keyspace = stored.keyspace,
                             .name = stored.name,
                             .columns = stored.columns,
                             .partition_key = stored.partition_key,
                             .clustering_key = stored.clustering_key};
  try {
    auto json = nlohmann::json::parse(stored.metadata);
    definition.topic = json.at("topic").get<std::string>();
    definition.select = json.at("select").get<std::string>();
    definition.ttl = json.value("ttl", "");
    for (const auto& condition : json.at("expectations"))
      definition.expectations.push_back(
          {condition.at("name").get<std::string>(), condition.at("sql").get<std::string>()});
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kCorrupt, "table {}: its metadata cannot be read: {}",
                stored.full_name(), error.what());
  }
  return definition;
}

Result<void> check_table(const store::Store& store, const TableDefinition& definition) {
  auto existing = store.find_table(definition.keyspace, definition.name);
  if (existing) MR_TRY(check_topic(*existing, definition));
  return store.check_table(to_stored(definition));
}

Result<store::TablePtr> open_table(store::Store& store, const TableDefinition& definition) {
  auto existing = store.find_table(definition.keyspace, definition.name);
  if (!existing) return store.create_table(to_stored(definition));
  MR_TRY(check_topic(*existing, definition));
  return store.alter_table(*existing, to_stored(definition));
}

}  // namespace millrace::table
