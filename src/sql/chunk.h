// Rows in memory of our own, for values that come from no query: keys, and tests.
#pragma once

#include <memory>
#include <span>

#include "schema/type.h"
#include "sql/vector.h"

namespace millrace::sql {

// Up to kChunkRows rows of these columns. Belongs to one thread; keeps its memory.
class Chunk {
 public:
  explicit Chunk(schema::Columns columns);
  ~Chunk();
  Chunk(Chunk&&) noexcept;

  const schema::Columns& columns() const;
  // Empties it. Every column of every row is to be written, from row 0 on.
  std::span<VectorWriter> begin();
  // The first `count` rows as they were written; valid until begin().
  Rows finish(size_t count);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::sql
