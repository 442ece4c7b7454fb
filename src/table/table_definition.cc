#include "table/table_definition.h"

#include <nlohmann/json.hpp>

namespace millrace::table {

Result<store::TablePtr> open_table(store::Store& store, const TableDefinition& definition) {
  store::TableDefinition stored{.keyspace = definition.keyspace,
                                .name = definition.name,
                                .columns = definition.columns,
                                .partition_key = definition.partition_key,
                                .clustering_key = definition.clustering_key,
                                .metadata = nlohmann::json{{"topic", definition.topic}}.dump()};
  auto existing = store.find_table(definition.keyspace, definition.name);
  if (!existing) return store.create_table(std::move(stored));
  if (MR_TRY(topic_of(*existing)) != definition.topic)
    return fail(ErrorCode::kConflict,
                "table {} is fed by topic {}, the pipeline file says {}: its offsets would mean "
                "other records; give the new topic to a table of another name",
                stored.full_name(), MR_TRY(topic_of(*existing)), definition.topic);
  return store.alter_table(*existing, std::move(stored));
}

Result<std::string> topic_of(const store::Table& table) {
  auto json = nlohmann::json::parse(table.definition().metadata, nullptr, false);
  if (!json.is_object() || !json.contains("topic") || !json["topic"].is_string())
    return fail(ErrorCode::kCorrupt, "table {}: its metadata cannot be read: {}",
                table.definition().full_name(), table.definition().metadata);
  return json["topic"].get<std::string>();
}

}  // namespace millrace::table
