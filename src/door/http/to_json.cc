#include "door/http/to_json.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/text.h"
#include "base/time.h"

namespace millrace::http {
namespace {

using Json = nlohmann::ordered_json;

// The text of an object with one more member, whose value is JSON already.
std::string with_member(std::string object, std::string_view name, std::string_view value) {
  object.pop_back();
  return fmt::format("{}{}\"{}\":{}}}", object, object == "{" ? "" : ",", name, value);
}

void put_bytes(Json& object, const std::string& name, std::string_view bytes) {
  if (is_utf8(bytes)) {
    object[name] = bytes;
    return;
  }
  std::string base64;
  append_base64(bytes, base64);
  object[name + "_base64"] = base64;
}

void put_optional(Json& object, const std::string& name, const std::optional<std::string>& bytes) {
  if (bytes) {
    put_bytes(object, name, *bytes);
  } else {
    object[name] = nullptr;
  }
}

// Line ends inside would break a reader of JSON lines; so such values, which no source of ours
// writes, stand as strings.
bool is_embeddable(std::string_view value) {
  return (value.starts_with('{') || value.starts_with('[')) && is_utf8(value) &&
         value.find_first_of("\r\n") == value.npos && Json::accept(value);
}

std::string time_text(int64_t timestamp_ms) {
  return format_timestamp(timestamp_ms * 1'000);
}

Json to_json(const pipeline::SourceStatus& source) {
  return {{"name", source.name},
          {"topic", source.topic},
          {"state", to_string(source.state)},
          {"error", source.error},
          {"records_per_s", source.records_per_s},
          {"pages", source.pages},
          {"items", source.items},
          {"records", source.records},
          {"filtered", source.filtered},
          {"dead_letters", source.dead_letters},
          {"redriven", source.redriven}};
}

Json to_json(const pipeline::TableStatus& table) {
  return {{"name", table.name},
          {"topic", table.topic},
          {"state", to_string(table.state)},
          {"error", table.error},
          {"records_per_s", table.records_per_s},
          {"records_in", table.records_in},
          {"written", table.written},
          {"filtered", table.filtered},
          {"dead_letters", table.dead_letters},
          {"redriven", table.redriven},
          {"waiting", table.waiting},
          {"removed", table.removed},
          {"balanced", table.balanced()},
          {"bytes", table.bytes}};
}

}  // namespace

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_json(const pipeline::Status& status) {
  Json json = {{"pipeline", status.pipeline}, {"data_dir", status.data_dir},
               {"running", status.running},   {"uptime_ms", status.uptime_ms},
               {"sources", Json::array()},    {"topics", Json::array()},
               {"tables", Json::array()}};
  for (const auto& source : status.sources) json["sources"].push_back(to_json(source));
  for (const auto& topic : status.topics) json["topics"].push_back(to_json(topic));
  for (const auto& table : status.tables) json["tables"].push_back(to_json(table));
  return dump(json);
}

Json to_json(const pipeline::TopicStatus& topic) {
  return {{"name", topic.name},
          {"partitions", topic.partitions},
          {"records", topic.records},
          {"bytes", topic.bytes},
          {"retention_waits_for", topic.retention_waits_for},
          {"dead_letters", topic.is_dead_letters}};
}

std::string to_json(const pipeline::TopicDescription& topic) {
  Json key = topic.key;
  if (topic.key.size() < 2) key = topic.key.empty() ? "" : topic.key[0];
  Json json = {{"name", topic.name},       {"key", std::move(key)},
               {"format", topic.format},   {"dead_letters", topic.is_dead_letters},
               {"columns", Json::array()}, {"partitions", Json::array()}};
  for (const auto& column : topic.columns) {
    json["columns"].push_back({{"name", column.name}, {"type", schema::to_sql(column.type)}});
  }
  for (const auto& partition : topic.partitions) {
    json["partitions"].push_back({{"partition", partition.id},
                                  {"start_offset", partition.start_offset},
                                  {"end_offset", partition.end_offset},
                                  {"bytes", partition.bytes}});
  }
  return dump(json);
}

std::string to_json(const pipeline::Record& record) {
  Json json = {{"topic", record.topic},
               {"partition", record.partition},
               {"offset", record.offset},
               {"timestamp", time_text(record.timestamp_ms)}};
  put_optional(json, "key", record.key);
  if (!record.headers.empty()) {
    Json headers;
    for (const auto& [name, value] : record.headers) put_bytes(headers, name, value);
    json["headers"] = std::move(headers);
  }
  if (record.value && is_embeddable(*record.value)) {
    return with_member(dump(json), "value", *record.value);
  }
  put_optional(json, "value", record.value);
  return dump(json);
}

std::string to_json(const pipeline::Tapped& tapped) {
  auto rows = json_array(tapped.rows, [](const std::string& row) {
    return is_embeddable(row) ? row : dump(Json(row));
  });
  auto failure = tapped.failure.empty() ? Json(nullptr) : Json(tapped.failure);
  return fmt::format(R"({{"record":{},"rows":{},"failure":{}}})", to_json(tapped.record), rows,
                     dump(failure));
}

std::string to_json(const pipeline::DeadLetter& letter) {
  Json json = {{"address", letter.address()},
               {"node", letter.node},
               {"open", letter.is_open},
               {"timestamp", time_text(letter.timestamp_ms)},
               {"stage", letter.stage},
               {"rule", letter.rule},
               {"error", letter.error},
               {"from",
                {{"topic", letter.from_topic},
                 {"partition", letter.from_partition},
                 {"offset", letter.from_offset}}}};
  if (letter.has_record) put_optional(json, "key", letter.key);
  if (!letter.value_file.empty()) json["raw_file"] = "sources/" + letter.value_file;
  if (letter.has_record) put_optional(json, "raw", letter.value);
  return dump(json);
}

std::string to_json(const pipeline::Produced& produced) {
  auto partitions = Json::array();
  for (const auto& part : produced.partitions)
    partitions.push_back({{"partition", part.partition.value},
                          {"first_offset", part.first.value},
                          {"end_offset", part.end.value}});
  return dump({{"records", produced.records}, {"partitions", std::move(partitions)}});
}

}  // namespace millrace::http
