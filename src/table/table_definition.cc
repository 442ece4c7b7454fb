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

Result<store::TablePtr> open_table(store::Store& store, const TableDefinition& definition) {
  store::TableDefinition stored{.keyspace = definition.keyspace,
                                .name = definition.name,
                                .columns = definition.columns,
                                .partition_key = definition.partition_key,
                                .clustering_key = definition.clustering_key,
                                .metadata = to_metadata(definition)};
  auto existing = store.find_table(definition.keyspace, definition.name);
  if (!existing) return store.create_table(std::move(stored));
  auto opened = MR_TRY(definition_of(*existing));
  if (opened.topic != definition.topic)
    return fail(ErrorCode::kConflict,
                "table {} is fed by topic {}, the pipeline file says {}: its offsets would mean "
                "other records; give the new topic to a table of another name",
                stored.full_name(), opened.topic, definition.topic);
  return store.alter_table(*existing, std::move(stored));
}

}  // namespace millrace::table
