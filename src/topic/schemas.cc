#include "topic/schemas.h"

#include <algorithm>
#include <charconv>

#include "schema/avro.h"

namespace millrace::topic {
namespace {

constexpr const char* kFolder = "schemas";
constexpr std::string_view kEnding = ".avsc";

// The id of "7.avsc"; 0: another file.
int32_t id_of(std::string_view file) {
  if (!file.ends_with(kEnding)) return 0;
  file.remove_suffix(kEnding.size());
  int32_t id = 0;
  auto parsed = std::from_chars(file.data(), file.data() + file.size(), id);
  return parsed.ec == std::errc{} && parsed.ptr == file.data() + file.size() ? id : 0;
}

Result<void> add(const std::string& topic, int32_t id, std::string_view text,
                 sql::AvroSchemas& schemas) {
  auto schema = schema::parse_avro_schema(text);
  if (!schema)
    return fail(ErrorCode::kCorrupt, "schema {} of topic {}: {}", id, topic,
                schema.error().message());
  schemas.add(id, *std::move(schema));
  return {};
}

// Loads all; the highest id.
Result<int32_t> load(const log::Topic& topic, std::string_view written, sql::AvroSchemas& schemas) {
  int32_t highest = 0;
  schemas.write_with(0);
  for (const auto& file : MR_TRY(topic.files(kFolder))) {
    int32_t id = id_of(file);
    if (id <= 0) continue;
    auto text = MR_TRY(topic.read_file(kFolder, file));
    MR_TRY(add(topic.name(), id, text, schemas));
    if (text == written) schemas.write_with(id);
    highest = std::max(highest, id);
  }
  return highest;
}

}  // namespace

Result<void> load_schemas(const log::Topic& topic, const schema::Columns& columns,
                          sql::AvroSchemas& schemas) {
  auto text = schema::to_avro_schema(columns, topic.name());
  MR_TRY(load(topic, text ? *text : "", schemas));
  return {};
}

Result<void> keep_schema(log::Topic& topic, const schema::Columns& columns,
                         sql::AvroSchemas& schemas) {
  auto text = MR_TRY_IN(schema::to_avro_schema(columns, topic.name()), "topic " + topic.name());
  int32_t highest = MR_TRY(load(topic, text, schemas));
  if (schemas.written_id() != 0) return {};
  int32_t id = highest + 1;
  MR_TRY(topic.write_file(kFolder, fmt::format("{}{}", id, kEnding), text));
  MR_TRY(add(topic.name(), id, text, schemas));
  schemas.write_with(id);
  return {};
}

}  // namespace millrace::topic
