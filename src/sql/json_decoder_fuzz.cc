// Any bytes as a record: JsonDecoder reads what a plain decoder reads, the same, and nothing that
// is no JSON; it touches nothing outside the record and its padding.
#include <algorithm>
#include <cstdint>

#include "base/check.h"
#include "base/limits.h"
#include "schema/json_schema.h"
#include "sql/test_plain_json.h"
#include "sql/test_rows.h"

namespace millrace::sql {
namespace {

// The deepest nesting of brackets, those in strings included: an upper bound is enough here.
size_t depth_of(std::string_view text) {
  size_t depth = 0;
  size_t deepest = 0;
  for (char c : text) {
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if ((c == '}' || c == ']') && depth > 0) --depth;
  }
  return deepest;
}

class Decoder {
 public:
  Decoder() : engine_(*Engine::open({})) {
    auto columns = schema::columns_from_json_schema(kPlainSchema);
    MR_CHECK(columns.has_value());
    auto prepared = Transform::prepare(*engine_, {"input", *columns, "SELECT * FROM input", {}});
    MR_CHECK(prepared.has_value());
    transform_.emplace(*std::move(prepared));
  }

  // The row; nullopt: refused, with the reason in `error`.
  std::optional<std::string> decode(const std::string& text, std::string& error) {
    PaddedTexts records(std::span(&text, 1), '}');
    JsonRows output(transform_->columns());
    std::vector<Failure> failures;
    auto counts = transform_->run(records.views(), output, failures);
    MR_CHECK(counts && output.json.size() + failures.size() == 1);
    if (!failures.empty()) {
      error = failures[0].error;
      return std::nullopt;
    }
    return output.json[0];
  }

 private:
  std::unique_ptr<Engine> engine_;
  std::optional<Transform> transform_;
};

void check(const std::string& text) {
  static Decoder decoder;
  std::string error;
  auto row = decoder.decode(text, error);
  nlohmann::json document;
  auto plain = plain_decode(text, document);
  if (plain == PlainResult::kNoJson) MR_CHECK(!row);
  if (plain != PlainResult::kJson) return;
  if (row) {
    MR_CHECK(!difference(document, nlohmann::json::parse(*row)));
  } else if (depth_of(text) <= limits::kJsonDepthMax) {
    // JSON is refused for what is in it, not for being none.
    MR_CHECK(error.find("bad JSON") == std::string::npos);
    MR_CHECK(!must_be_taken(document) || has_a_key_twice(text));
  }
}

}  // namespace
}  // namespace millrace::sql

// DuckDB does not take down the plans that it keeps in its arenas.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libduckdb.so";
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  millrace::sql::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
