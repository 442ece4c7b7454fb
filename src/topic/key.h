// A record's key: the values of its topic's key columns as bytes, and back.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/type.h"
#include "sql/json_decoder.h"
#include "sql/json_split.h"
#include "sql/vector.h"

namespace millrace::topic {

// Scalars can be in a key; LIST, MAP and STRUCT cannot.
bool can_be_key(const schema::Type& type);

// Those of `columns` that `key` names, in its order.
schema::Columns columns_of(std::span<const std::string> key, const schema::Columns& columns);

// Values -> bytes (docs/format/topic.md): of one column its text, of several a JSON array.
class KeyWriter {
 public:
  // `key`: names of some of `columns`, which are the rows'; none: there is no key.
  KeyWriter(const schema::Columns& columns, const std::vector<std::string>& key);

  // Appends the key of row `row` to `to`. False: it has none, since one of its columns is NULL.
  bool append(const sql::Rows& rows, size_t row, std::string& to) const;

 private:
  std::vector<size_t> columns_;
};

// Bytes -> values. Takes what KeyWriter writes, and other spellings of the same values that JSON
// has ("1e3" for 1000). Belongs to one thread.
class KeyReader {
 public:
  // `columns`: the topic's; `key`: names of some of them, at least one.
  KeyReader(const schema::Columns& columns, std::span<const std::string> key);

  // The key's columns, in its order.
  const schema::Columns& columns() const { return columns_; }
  // Writes a key into row 0 of the vectors of an empty chunk, one for each column; texts are
  // borrowed until the next read(). False: error() says why.
  bool read(std::string_view key, std::span<sql::VectorWriter> writers);
  const std::string& error() const { return error_; }

 private:
  bool object_of(std::string_view key);
  bool append_scalar(std::string_view text);

  schema::Columns columns_;
  sql::JsonDecoder decoder_;
  std::unique_ptr<sql::ItemSplitter> splitter_ = std::make_unique<sql::ItemSplitter>();
  std::string array_;   // the key, padded
  std::string object_;  // the same as an object, padded
  std::string error_;
};

}  // namespace millrace::topic
