#include "pipeline/tombstones.h"

#include <algorithm>

#include "base/text.h"

namespace millrace::pipeline {
namespace {

constexpr size_t kKeyBytesMax = 65'535;  // as kPrimaryKeyRule has it

}  // namespace

Tombstones::Tombstones(const TablePlan& plan)
    : may_be_empty_(plan.definition.partition_key.size() > 1) {
  if (plan.erased_by.empty()) return;
  topic::KeyReader reader(plan.topic.columns, plan.topic.key);
  sql::Chunk chunk(reader.columns());
  std::vector<size_t> order;
  for (const auto& name : plan.erased_by)
    order.push_back(
        static_cast<size_t>(std::ranges::find(plan.topic.key, name) - plan.topic.key.begin()));
  columns_.emplace(std::move(reader), std::move(chunk), std::move(order));
}

std::string Tombstones::refused(size_t column) const {
  auto kind = key_[column].type().kind;
  if (kind != schema::Kind::kVarchar && kind != schema::Kind::kBlob) return "";
  size_t size = key_[column].text(0).size();
  if (size > kKeyBytesMax) return fmt::format("{} bytes are too long for a primary key", size);
  return size == 0 && column == 0 && !may_be_empty_ ? "a partition key is not empty" : "";
}

bool Tombstones::read(const record::RecordView& record, sql::Failure& failure) {
  if (!columns_->reader.read(*record.key, columns_->chunk.begin())) {
    failure.stage = sql::Stage::kDecode;
    failure.error = columns_->reader.error();
    return false;
  }
  auto row = columns_->chunk.finish(1);
  key_.clear();
  for (size_t place : columns_->order) key_.push_back(row.columns[place]);
  for (size_t i = 0; i < key_.size(); ++i) {
    failure.error = refused(i);
    if (failure.error.empty()) continue;
    failure.stage = sql::Stage::kExpect;
    failure.rule = kPrimaryKeyRule;
    return false;
  }
  return true;
}

Result<Tombstones::Counts> Tombstones::read(std::span<const record::RecordView> records,
                                            table::RowWriter& writer,
                                            std::vector<sql::Failure>& failures) {
  Counts counts;
  if (!columns_) return counts;
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].value || !records[i].key) continue;
    sql::Failure failure{.record = i};
    if (read(records[i], failure)) {
      MR_TRY(writer.erase(i, {1, key_}, 0));
      ++counts.erased;
    } else {
      failures.push_back(std::move(failure));
      ++counts.failed;
    }
  }
  return counts;
}

}  // namespace millrace::pipeline
