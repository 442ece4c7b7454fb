#include "topic/topic_definition.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "topic/schemas.h"

namespace millrace::topic {
namespace {

constexpr std::string_view kAvro = "avro";

// MurmurHash2 with the seed and the byte order of Kafka's clients.
uint32_t murmur2(std::string_view bytes) {
  constexpr uint32_t kMultiplier = 0x5bd1e995;
  uint32_t hash = 0x9747b28cU ^ static_cast<uint32_t>(bytes.size());
  size_t whole = bytes.size() / 4 * 4;
  for (size_t i = 0; i < whole; i += 4) {
    uint32_t word;
    std::memcpy(&word, bytes.data() + i, 4);
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash = (hash * kMultiplier) ^ word;
  }
  uint32_t tail = 0;
  for (size_t i = bytes.size(); i > whole; --i)
    tail = tail << 8 | static_cast<unsigned char>(bytes[i - 1]);
  if (whole < bytes.size()) hash = (hash ^ tail) * kMultiplier;
  hash = (hash ^ (hash >> 13)) * kMultiplier;
  return hash ^ (hash >> 15);
}

bool has_key(const nlohmann::json& metadata) {
  auto key = metadata.find("key");
  return key != metadata.end() &&
         (key->is_string() || (key->is_array() && std::ranges::all_of(*key, [](const auto& name) {
                                 return name.is_string();
                               })));
}

std::vector<std::string> key_of(const nlohmann::json& key) {
  if (key.is_array()) return key.get<std::vector<std::string>>();
  auto name = key.get<std::string>();
  return name.empty() ? std::vector<std::string>{} : std::vector{name};
}

// Errors: kConflict, where records that are there would be in wrong places or could not be read.
Result<void> check_same(const TopicDefinition& existing, const TopicDefinition& definition) {
  if (existing.partitions != definition.partitions)
    return fail(ErrorCode::kConflict,
                "topic {} has {} partition{}, the pipeline file says {}: keys would change their "
                "partition; give the new number to a topic of another name",
                definition.name, existing.partitions, existing.partitions == 1 ? "" : "s",
                definition.partitions);
  if (existing.key != definition.key)
    return fail(ErrorCode::kConflict,
                "topic {} has the key '{}', the pipeline file says '{}': records of one key would "
                "lose their order; give the new key to a topic of another name",
                definition.name, fmt::join(existing.key, ", "), fmt::join(definition.key, ", "));
  if ((existing.avro == nullptr) != (definition.avro == nullptr))
    return fail(ErrorCode::kConflict,
                "topic {} has values in the format {}, the pipeline file says {}: give the new "
                "format to a topic of another name",
                definition.name, existing.avro == nullptr ? "json" : kAvro,
                definition.avro == nullptr ? "json" : kAvro);
  return {};
}

}  // namespace

std::string to_metadata(const TopicDefinition& definition) {
  // Data directories from before keys of several columns have one name, or "".
  nlohmann::json key = definition.key;
  if (definition.key.size() < 2) key = definition.key.empty() ? "" : definition.key[0];
  nlohmann::json json{{"columns", schema::to_json(definition.columns)}, {"key", std::move(key)}};
  if (definition.avro != nullptr) json["format"] = kAvro;
  return json.dump();
}

Result<TopicDefinition> definition_of(const log::Topic& topic) {
  auto json = nlohmann::json::parse(topic.metadata(), nullptr, false);
  if (!json.is_object() || !json.contains("columns") || !has_key(json))
    return fail(ErrorCode::kCorrupt, "topic {}: its metadata cannot be read: {}", topic.name(),
                topic.metadata());
  TopicDefinition definition{
      .name = topic.name(),
      .columns = MR_TRY_IN(schema::columns_from_json(json["columns"]), "topic " + topic.name()),
      .key = key_of(json["key"]),
      .partitions = topic.partition_count()};
  if (!json.contains("format")) return definition;
  if (json["format"] != kAvro)
    return fail(ErrorCode::kUnsupported,
                "topic {} has values in the format {}; use the version of millrace that made it",
                topic.name(), json["format"].dump());
  definition.avro = std::make_shared<sql::AvroSchemas>();
  MR_TRY(load_schemas(topic, definition.columns, *definition.avro));
  return definition;
}

Result<void> check_topic(log::Log& log, const TopicDefinition& definition) {
  const auto* topic = log.find_topic(definition.name);
  if (topic == nullptr) return {};
  auto existing = MR_TRY(definition_of(*topic));
  return check_same(existing, definition);
}

Result<log::Topic*> open_topic(log::Log& log, const TopicDefinition& definition) {
  auto* topic = log.find_topic(definition.name);
  if (topic == nullptr) {
    auto metadata = to_metadata(definition);
    topic = MR_TRY(log.create_topic(definition.name, definition.partitions, std::move(metadata)));
  } else {
    auto existing = MR_TRY(definition_of(*topic));
    MR_TRY(check_same(existing, definition));
  }
  // Before the columns: what is written with a schema can be read from then on.
  if (definition.avro != nullptr) MR_TRY(keep_schema(*topic, definition.columns, *definition.avro));
  auto metadata = to_metadata(definition);
  if (topic->metadata() != metadata) MR_TRY(topic->set_metadata(std::move(metadata)));
  return topic;
}

PartitionId partition_of(std::string_view key, int32_t partitions) {
  return PartitionId(static_cast<int32_t>(murmur2(key) & 0x7fffffffU) % partitions);
}

}  // namespace millrace::topic
