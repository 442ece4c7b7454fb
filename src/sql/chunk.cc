#include "sql/chunk.h"

#include <utility>
#include <vector>

#include "sql/connection.h"

namespace millrace::sql {

struct Chunk::Impl {
  explicit Impl(schema::Columns wanted) : columns(std::move(wanted)) {
    std::vector<LogicalType> types;
    std::vector<duckdb_logical_type> handles;
    for (const auto& column : columns) {
      handles.push_back(types.emplace_back(to_duckdb(column.type)).get());
      writers.emplace_back(column.type);
    }
    chunk = DataChunk(duckdb_create_data_chunk(handles.data(), handles.size()));
  }

  schema::Columns columns;  // which writers and views point into
  DataChunk chunk;
  std::vector<VectorWriter> writers;
  std::vector<VectorView> views;
};

Chunk::Chunk(schema::Columns columns) : impl_(std::make_unique<Impl>(std::move(columns))) {}
Chunk::~Chunk() = default;
Chunk::Chunk(Chunk&&) noexcept = default;

const schema::Columns& Chunk::columns() const {
  return impl_->columns;
}

std::span<VectorWriter> Chunk::begin() {
  duckdb_data_chunk_reset(impl_->chunk.get());
  for (size_t i = 0; i < impl_->writers.size(); ++i)
    impl_->writers[i].bind(duckdb_data_chunk_get_vector(impl_->chunk.get(), i));
  return impl_->writers;
}

Rows Chunk::finish(size_t count) {
  impl_->views.clear();
  for (size_t i = 0; i < impl_->writers.size(); ++i) {
    impl_->writers[i].finish();
    impl_->views.emplace_back(impl_->columns[i].type,
                              duckdb_data_chunk_get_vector(impl_->chunk.get(), i));
  }
  duckdb_data_chunk_set_size(impl_->chunk.get(), count);
  return {count, impl_->views};
}

}  // namespace millrace::sql
