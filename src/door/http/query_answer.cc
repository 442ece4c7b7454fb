#include "door/http/query_answer.h"

#include "base/limits.h"
#include "pipeline/inspect.h"
#include "sql/json_writer.h"
#include "sql/query.h"

namespace millrace::http {
namespace {

class AnswerWriter final : public sql::QueryOutput {
 public:
  Result<void> columns(const schema::Columns& columns) override {
    text = R"({"columns":[)";
    for (const auto& column : columns) {
      text += text.ends_with('[') ? R"({"name":)" : R"(,{"name":)";
      sql::append_json_string(column.name, text);
      text += R"(,"type":)";
      sql::append_json_string(schema::to_sql(column.type), text);
      text += '}';
    }
    text += R"(],"rows":[)";
    return {};
  }

  Result<void> rows(const sql::Rows& rows) override {
    for (size_t row = 0; row < rows.count; ++row) {
      if (row_count_ == limits::kApiRowsMax || text.size() >= limits::kApiAnswerBytesMax) {
        truncated = true;
        return fail(ErrorCode::kCancelled, "the answer is as long as it may be");
      }
      append(rows, row);
    }
    return {};
  }

  std::string text;
  bool truncated = false;

 private:
  void append(const sql::Rows& rows, size_t row) {
    text += row_count_++ == 0 ? "[" : ",[";
    for (size_t i = 0; i < rows.columns.size(); ++i) {
      if (i > 0) text += ',';
      sql::append_json_value(rows.columns[i], row, text);
    }
    text += ']';
  }

  size_t row_count_ = 0;
};

}  // namespace

Result<std::string> answer_query(pipeline::Instance& instance, std::string_view sql,
                                 const std::stop_token& stop) {
  auto started = instance.clock().monotonic_micros();
  AnswerWriter writer;
  auto undecodable = pipeline::query(instance, sql, writer, stop);
  if (!undecodable && !writer.truncated) return std::unexpected(undecodable.error());
  auto micros = instance.clock().monotonic_micros() - started;
  writer.text +=
      fmt::format(R"(],"undecodable":{},"truncated":{},"elapsed_ms":{:.1f}}})",
                  undecodable.value_or(0), writer.truncated, static_cast<double>(micros) / 1'000);
  return std::move(writer.text);
}

}  // namespace millrace::http
