#include "pipeline/source_cursor.h"

#include <nlohmann/json.hpp>

#include "topic/page_writer.h"

namespace millrace::pipeline {
namespace {

constexpr size_t kFileBytesMax = size_t{4} << 20;

std::string path_of(const log::Topic& topic, const CursorFolder& folder) {
  return fmt::format("{}/{}.json", folder.path, topic.name());
}

}  // namespace

Result<SourceCursor> parse_source_cursor(std::string_view text) {
  auto cursor = MR_TRY(source::parse_cursor(text));
  auto json = nlohmann::json::parse(text, nullptr, false);
  const auto& name = json["source"];
  return SourceCursor{.source = name.is_string() ? name.get<std::string>() : "", .cursor = cursor};
}

Result<void> recover_page(log::Topic& topic) {
  auto sequence_of = [](std::string_view text) -> Result<int64_t> {
    return MR_TRY(source::parse_cursor(text)).sequence;
  };
  return topic::recover_page(topic, source::kCursorHeader, sequence_of);
}

Result<std::optional<SourceCursor>> find_cursor(log::Topic& topic, const CursorFolder& folder) {
  std::optional<SourceCursor> newest;
  auto offer = [&](std::string_view text) -> Result<void> {
    auto found = MR_TRY(parse_source_cursor(text));
    if (!newest || found.cursor.sequence > newest->cursor.sequence) newest = std::move(found);
    return {};
  };
  for (int32_t i = 0; i < topic.partition_count(); ++i) {
    auto last = MR_TRY(
        topic::find_last_with_header(topic.partition(PartitionId(i)), source::kCursorHeader));
    if (last) MR_TRY_IN(offer(last->value(source::kCursorHeader)), "topic " + topic.name());
  }
  auto path = path_of(topic, folder);
  if (MR_TRY(folder.disk->file_exists(path))) {
    auto text = MR_TRY(folder.disk->read_file(path, kFileBytesMax));
    MR_TRY_IN(offer(text), path);
  }
  return newest;
}

Result<std::optional<source::Cursor>> cursor_of(const std::string& source, log::Topic& topic,
                                                const CursorFolder& folder) {
  auto found = MR_TRY(find_cursor(topic, folder));
  if (!found) return std::nullopt;
  if (found->source == source || found->source.empty()) return found->cursor;
  return fail(ErrorCode::kConflict,
              "topic {} was fed by source {}, up to page {} of it; give that name to the source to "
              "go on there, or a topic of another name to a new source",
              topic.name(), found->source, found->cursor.sequence);
}

Result<void> keep_cursor(const log::Topic& topic, const CursorFolder& folder,
                         const SourceCursor& cursor) {
  MR_TRY(folder.disk->make_directories(folder.path));
  return folder.disk->write_file_atomic(path_of(topic, folder),
                                        source::to_json(cursor.cursor, cursor.source));
}

}  // namespace millrace::pipeline
