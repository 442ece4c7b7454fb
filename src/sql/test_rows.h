// What tests of rows share: JSON texts as records, and rows as JSON texts.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/sql.h"

namespace millrace::sql {

// JSON texts, each in memory of its own that ends with its padding, so that a sanitizer sees a
// read past it; the padding is full of `filler`, since anything may stand there.
class PaddedTexts {
 public:
  explicit PaddedTexts(std::span<const std::string> texts, char filler = '1') {
    for (const auto& text : texts) {
      auto& bytes = memory_.emplace_back(new char[text.size() + kJsonPadding]);
      text.copy(bytes.get(), text.size());
      std::fill_n(bytes.get() + text.size(), kJsonPadding, filler);
      views_.emplace_back(std::string_view(bytes.get(), text.size()));
    }
  }
  std::span<const std::optional<std::string_view>> views() const { return views_; }

 private:
  std::vector<std::unique_ptr<char[]>> memory_;
  std::vector<std::optional<std::string_view>> views_;
};

// What a transform makes.
class JsonRows : public TransformOutput {
 public:
  explicit JsonRows(const schema::Columns& columns) : writer_(columns) {}

  Result<void> rows(const Rows& rows, std::span<const int32_t> record_of,
                    std::span<const uint8_t> keep) override {
    for (size_t i = 0; i < rows.count; ++i) {
      if (keep[i] == 0) continue;
      writer_.append(rows, i, json.emplace_back());
      records.push_back(record_of[i]);
    }
    return {};
  }

  std::vector<std::string> json;
  std::vector<int32_t> records;  // in step with `json`

 private:
  JsonWriter writer_;
};

// What a query answers.
class JsonAnswer : public QueryOutput {
 public:
  Result<void> columns(const schema::Columns& columns) override {
    names_and_types = columns;
    writer_.emplace(columns);
    return {};
  }
  Result<void> rows(const Rows& rows) override {
    for (size_t i = 0; i < rows.count; ++i) writer_->append(rows, i, json.emplace_back());
    return {};
  }

  schema::Columns names_and_types;
  std::vector<std::string> json;

 private:
  std::optional<JsonWriter> writer_;
};

}  // namespace millrace::sql
