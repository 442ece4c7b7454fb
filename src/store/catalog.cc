#include "store/catalog.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/bytes.h"
#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "store/key.h"

namespace millrace::store {
namespace {

constexpr size_t kNameMax = 48;

constexpr std::string_view kOtherTable =
    "give that to a table of another name, which takes all that is in the topic";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Result<void> validate_name(std::string_view what, std::string_view name) {
  bool good = !name.empty() && name.size() <= kNameMax && is_letter(name[0]) &&
              std::ranges::all_of(
                  name, [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
  if (good) return {};
  return fail(ErrorCode::kInvalid,
              "{} '{}': a name is 1 to {} letters, digits and underscores, a letter first", what,
              excerpt(name, 60), kNameMax);
}

const schema::Field* find_column(const TableDefinition& definition, std::string_view name) {
  auto found = std::ranges::find(definition.columns, name, &schema::Field::name);
  return found == definition.columns.end() ? nullptr : &*found;
}

std::string names_of(const std::vector<std::string>& names) {
  return fmt::format("({})", fmt::join(names, ", "));
}

Result<void> validate_keys(const TableDefinition& definition) {
  if (definition.partition_key.empty())
    return fail(ErrorCode::kInvalid, "table {} has no partition key", definition.full_name());
  std::set<std::string_view> seen;
  for (const auto* key : {&definition.partition_key, &definition.clustering_key}) {
    for (const auto& name : *key) {
      const auto* column = find_column(definition, name);
      if (column == nullptr)
        return fail(ErrorCode::kInvalid, "table {} has no column '{}' for its primary key",
                    definition.full_name(), name);
      if (!seen.insert(name).second)
        return fail(ErrorCode::kInvalid, "column '{}' is twice in the primary key of {}", name,
                    definition.full_name());
      if (!can_be_key(column->type))
        return fail(ErrorCode::kInvalid, "column '{}' of {} is a {}, which cannot be a key", name,
                    definition.full_name(), schema::to_sql(column->type));
    }
  }
  return {};
}

}  // namespace

std::string table_key(TableId id) {
  std::string key(kTablePrefix);
  append_be(key, id.value);
  return key;
}

std::string progress_prefix(TableId table) {
  std::string prefix(kProgressPrefix);
  append_be(prefix, table.value);
  return prefix;
}

std::string dead_letter_prefix(TableId table) {
  std::string prefix(kDeadLetterPrefix);
  append_be(prefix, table.value);
  return prefix;
}

void append_progress_key(std::string& to, TableId table, std::string_view topic,
                         PartitionId partition) {
  to += progress_prefix(table);
  to += topic;
  append_be(to, partition.value);
}

std::string dead_letter_key(TableId table, std::string_view topic, PartitionId partition,
                            Offset offset) {
  std::string key = dead_letter_prefix(table);
  key += topic;
  append_be(key, partition.value);
  append_be(key, offset.value);
  return key;
}

std::string encode_progress(const Progress& progress) {
  std::string bytes;
  for (int64_t number : {progress.next.value, progress.written, progress.filtered,
                         progress.dead_letters, progress.redriven, progress.removed})
    append_be(bytes, number);
  return bytes;
}

Result<Progress> decode_progress(std::string_view bytes) {
  ByteReader reader(bytes);
  Progress progress;
  progress.next = Offset(reader.be<int64_t>());
  progress.written = reader.be<int64_t>();
  progress.filtered = reader.be<int64_t>();
  progress.dead_letters = reader.be<int64_t>();
  progress.redriven = reader.be<int64_t>();
  progress.removed = reader.be<int64_t>();
  if (reader.failed() || !reader.at_end())
    return fail(ErrorCode::kCorrupt, "progress of {} bytes instead of 48", bytes.size());
  return progress;
}

Result<void> validate(const TableDefinition& definition) {
  MR_TRY(validate_name("keyspace", definition.keyspace));
  MR_TRY(validate_name("table", definition.name));
  if (definition.columns.size() > limits::kColumnsMax)
    return fail(ErrorCode::kLimit, "table {} has {} columns; the limit is {}",
                definition.full_name(), definition.columns.size(), limits::kColumnsMax);
  std::set<std::string_view> seen;
  for (const auto& column : definition.columns) {
    if (column.name.empty())
      return fail(ErrorCode::kInvalid, "table {} has a column without a name",
                  definition.full_name());
    if (!seen.insert(column.name).second)
      return fail(ErrorCode::kInvalid, "table {} has two columns '{}'", definition.full_name(),
                  column.name);
  }
  return validate_keys(definition);
}

Result<std::string> encode_definition(const TableDefinition& definition) {
  try {
    return nlohmann::json{{"keyspace", definition.keyspace},
                          {"name", definition.name},
                          {"columns", schema::to_json(definition.columns)},
                          {"partition_key", definition.partition_key},
                          {"clustering_key", definition.clustering_key},
                          {"metadata", definition.metadata}}
        .dump();
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kInvalid, "the definition of {}: {}", definition.full_name(),
                error.what());
  }
}

Result<TableDefinition> decode_definition(std::string_view text) {
  try {
    auto json = nlohmann::json::parse(text);
    TableDefinition definition;
    definition.keyspace = json.at("keyspace");
    definition.name = json.at("name");
    definition.columns = MR_TRY(schema::columns_from_json(json.at("columns")));
    definition.partition_key = json.at("partition_key");
    definition.clustering_key = json.at("clustering_key");
    definition.metadata = json.at("metadata");
    auto valid = validate(definition);
    if (!valid)
      return fail(ErrorCode::kCorrupt, "a table in the catalog: {}", valid.error().message());
    return definition;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kCorrupt, "a table in the catalog: {}", error.what());
  }
}

Result<void> check_change(const TableDefinition& now, const TableDefinition& wanted) {
  if (now.full_name() != wanted.full_name())
    return fail(ErrorCode::kConflict, "table {} cannot become {}", now.full_name(),
                wanted.full_name());
  for (size_t i = 0; i < now.columns.size(); ++i) {
    const auto& column = now.columns[i];
    const auto* same_name = find_column(wanted, column.name);
    if (same_name == nullptr)
      return fail(
          ErrorCode::kConflict,
          "table {} has a column '{}', the pipeline file has not; columns are never dropped: keep "
          "it, or give the others to a table of another name",
          now.full_name(), column.name);
    if (!schema::same_sql_type(column.type, same_name->type))
      return fail(ErrorCode::kConflict,
                  "table {}: column '{}' was {}, the pipeline file says {}; {}", now.full_name(),
                  column.name, schema::to_sql(column.type), schema::to_sql(same_name->type),
                  kOtherTable);
    if (same_name != &wanted.columns[i])
      return fail(ErrorCode::kConflict,
                  "table {}: column '{}' was the {}., the pipeline file has it in another place; "
                  "new columns come last",
                  now.full_name(), column.name, i + 1);
  }
  if (now.partition_key != wanted.partition_key)
    return fail(
        ErrorCode::kConflict, "table {}: the partition key was {}, the pipeline file says {}; {}",
        now.full_name(), names_of(now.partition_key), names_of(wanted.partition_key), kOtherTable);
  if (now.clustering_key != wanted.clustering_key)
    return fail(ErrorCode::kConflict,
                "table {}: the clustering columns were {}, the pipeline file says {}; {}",
                now.full_name(), names_of(now.clustering_key), names_of(wanted.clustering_key),
                kOtherTable);
  return {};
}

}  // namespace millrace::store
