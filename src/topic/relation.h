// A topic as something that a query reads.
#pragma once

#include <atomic>
#include <memory>

#include "log/log.h"
#include "sql/query.h"
#include "topic/topic_definition.h"

namespace millrace::topic {

// One part per partition, up to the end as of its opening. Records that cannot be decoded, and
// tombstones, make no row; how many of the former there were is counted.
class TopicRelation : public sql::Relation {
 public:
  TopicRelation(log::Topic& topic, TopicDefinition definition);

  const std::string& schema_name() const override { return schema_name_; }
  const std::string& name() const override { return definition_.name; }
  const schema::Columns& columns() const override { return definition_.columns; }
  size_t part_count() const override;
  Result<std::unique_ptr<sql::RelationScan>> open(std::span<const uint32_t> columns,
                                                  size_t part) const override;

  // Records that queries could not decode so far.
  int64_t undecodable() const { return undecodable_; }

 private:
  log::Topic& topic_;
  TopicDefinition definition_;
  std::string schema_name_;
  mutable std::atomic<int64_t> undecodable_ = 0;
};

}  // namespace millrace::topic
