#include "pipeline/table_rebuild.h"

#include "base/text.h"
#include "log/verify.h"
#include "pipeline/dead_letters.h"
#include "table/table_definition.h"

namespace millrace::pipeline {
namespace {

// Adds a line for each partition whose beginning is gone.
Result<void> tell_what_is_gone(const DataDirectory& directory, const std::string& topic,
                               std::vector<std::string>& words) {
  auto facts = MR_TRY(log::topic_facts(directory.disk(), directory.log(), topic));
  for (int32_t i = 0; i < facts.partitions; ++i) {
    auto folder = log::partition_folder(directory.log(), topic, PartitionId(i));
    Offset start = MR_TRY(log::partition_start(directory.disk(), folder));
    if (start > Offset(0))
      words.push_back(
          fmt::format("retention has removed what was in {}/{} before offset {}: rows that only "
                      "those records made do not come back",
                      topic, i, with_thousands(start.value)));
  }
  return {};
}

Result<store::TablePtr> find_table(const store::Store& store, std::string_view name) {
  std::vector<std::string> names;
  auto tables = store.tables();
  for (const auto& table : tables) {
    names.push_back(table->definition().full_name());
    if (names.back() == name) return table;
  }
  auto near = did_you_mean(name, names);
  return fail(ErrorCode::kNotFound, "there is no table '{}'{}", name,
              near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

}  // namespace

Result<TableRebuild> TableRebuild::plan(const DataDirectory& directory, std::string_view table,
                                        Logger& logger, io::Clock& clock) {
  TableRebuild rebuild(directory);
  if (table.empty()) {
    auto topics = MR_TRY(log::topic_names(directory.disk(), directory.log()));
    rebuild.words_.push_back("all tables are emptied");
    for (const auto& topic : topics)
      if (!is_dead_letters_topic(topic))
        MR_TRY(tell_what_is_gone(directory, topic, rebuild.words_));
    return rebuild;
  }
  rebuild.store_ = MR_TRY(
      store::Store::open(directory.store(), logger, {.clock = &clock, .disk = &directory.disk()}));
  rebuild.table_ = MR_TRY(find_table(*rebuild.store_, table));
  auto definition = MR_TRY(table::definition_of(*rebuild.table_));
  rebuild.words_.push_back(fmt::format("table {} is emptied; the next 'millrace up' reads {} again",
                                       table, definition.topic));
  MR_TRY(tell_what_is_gone(directory, definition.topic, rebuild.words_));
  return rebuild;
}

Result<void> TableRebuild::carry_out() {
  if (table_ != nullptr) return store_->clear_table(*table_);
  MR_TRY(directory_.disk().remove_tree(directory_.store()));
  return directory_.disk().sync_directory(directory_.path());
}

}  // namespace millrace::pipeline
