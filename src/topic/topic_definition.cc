#include "topic/topic_definition.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

namespace millrace::topic {
namespace {

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

}  // namespace

std::string to_metadata(const TopicDefinition& definition) {
  // Data directories from before keys of several columns have one name, or "".
  nlohmann::json key = definition.key;
  if (definition.key.size() < 2) key = definition.key.empty() ? "" : definition.key[0];
  return nlohmann::json{{"columns", schema::to_json(definition.columns)}, {"key", std::move(key)}}
      .dump();
}

Result<TopicDefinition> definition_of(const log::Topic& topic) {
  auto json = nlohmann::json::parse(topic.metadata(), nullptr, false);
  if (!json.is_object() || !json.contains("columns") || !has_key(json))
    return fail(ErrorCode::kCorrupt, "topic {}: its metadata cannot be read: {}", topic.name(),
                topic.metadata());
  return TopicDefinition{
      .name = topic.name(),
      .columns = MR_TRY_IN(schema::columns_from_json(json["columns"]), "topic " + topic.name()),
      .key = key_of(json["key"]),
      .partitions = topic.partition_count()};
}

Result<log::Topic*> open_topic(log::Log& log, const TopicDefinition& definition) {
  auto* topic = log.find_topic(definition.name);
  if (topic == nullptr)
    return log.create_topic(definition.name, definition.partitions, to_metadata(definition));
  auto existing = MR_TRY(definition_of(*topic));
  if (existing.partitions != definition.partitions)
    return fail(ErrorCode::kConflict,
                "topic {} has {} partitions, the pipeline file says {}: keys would change their "
                "partition; give the new number to a topic of another name",
                definition.name, existing.partitions, definition.partitions);
  if (existing.key != definition.key)
    return fail(ErrorCode::kConflict,
                "topic {} has the key '{}', the pipeline file says '{}': records of one key would "
                "lose their order; give the new key to a topic of another name",
                definition.name, fmt::join(existing.key, ", "), fmt::join(definition.key, ", "));
  if (existing.columns != definition.columns) MR_TRY(topic->set_metadata(to_metadata(definition)));
  return topic;
}

PartitionId partition_of(std::string_view key, int32_t partitions) {
  return PartitionId(static_cast<int32_t>(murmur2(key) & 0x7fffffffU) % partitions);
}

}  // namespace millrace::topic
