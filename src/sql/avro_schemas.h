// The schemas of a topic's Avro values, by the id that each value begins with.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "schema/avro.h"

namespace millrace::sql {

// Grows while it is read. Any thread.
class AvroSchemas {
 public:
  void add(int32_t id, schema::AvroSchema schema) {
    std::scoped_lock lock(mutex_);
    schemas_[id] = std::make_shared<schema::AvroSchema>(std::move(schema));
  }
  // nullptr: there is none of this id.
  std::shared_ptr<const schema::AvroSchema> find(int32_t id) const {
    std::scoped_lock lock(mutex_);
    auto found = schemas_.find(id);
    return found == schemas_.end() ? nullptr : found->second;
  }
  // "1, 2", for messages.
  std::string ids() const;

  // The id that values are written with; 0: none yet.
  void write_with(int32_t id) { written_id_ = id; }
  int32_t written_id() const { return written_id_; }

 private:
  mutable std::mutex mutex_;
  std::map<int32_t, std::shared_ptr<const schema::AvroSchema>> schemas_;
  std::atomic<int32_t> written_id_ = 0;
};

}  // namespace millrace::sql
