// The inside of a Batch: packed rows in one arena, put in key order when they are committed.
#pragma once

#include <rocksdb/write_batch.h>

#include <array>
#include <vector>

#include "store/store.h"

namespace millrace::store {

struct Batch::Impl {
  struct Entry {
    uint64_t token;  // sign flipped: the part of the key after the table id
    uint32_t table;
    uint32_t index;  // of the upsert in this batch
  };
  struct Place {
    uint32_t key_size;
    uint32_t value_size;
    size_t offset;  // in the arena: the key, then the value
  };

  std::string_view key(uint32_t index) const {
    return std::string_view(arena).substr(places[index].offset, places[index].key_size);
  }
  std::string_view value(uint32_t index) const {
    const auto& place = places[index];
    return std::string_view(arena).substr(place.offset + place.key_size, place.value_size);
  }

  // Takes what the arena has got from `begin` on as one more row: its key, up to `key_end`, and
  // its value.
  void add(TableId table, size_t begin, size_t key_end);
  // Fills `out` with the batch, rows in key order, upserts of one key in the order they came.
  void write_to(rocksdb::WriteBatch& out);

  std::string arena;
  std::vector<Entry> entries;
  std::vector<Place> places;
  std::vector<std::pair<std::string, std::string>> put;  // keys and values that are no rows
  std::vector<std::string> removed;                      // keys that are no rows
  std::string scratch;
  std::vector<std::string_view> key_values;
  rocksdb::WriteBatch out;
};

}  // namespace millrace::store
