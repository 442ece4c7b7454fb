// Decoding 1.08 KB users and selecting twelve of their fields, against simdjson alone walking over
// the same bytes (the least that any decoder of JSON does).
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include "sql/sql.h"

namespace millrace::sql {
namespace {

using schema::Kind;

constexpr const char* kUser =
    R"({{"gender":"female","name":{{"title":"Ms","first":"Erin{0}","last":"Wood"}},"location":)"
    R"({{"street":{{"number":{0},"name":"Pearse Street"}},"city":"Bandon","state":"Galway",)"
    R"("country":"Ireland","postcode":{1},"coordinates":{{"latitude":"-0.7185","longitude":)"
    R"("136.2709"}},"timezone":{{"offset":"-2:00","description":"Mid-Atlantic"}}}},)"
    R"("email":"erin.wood{0}@example.com","login":{{"uuid":"5ff6da15-aac5-423b-adba-{0:012}",)"
    R"("username":"purplepeacock{0}","password":"random","salt":"PVwlnSkZ",)"
    R"("md5":"efa42ca7c89279c62640e70b37551b2d","sha1":"78a2cc7f15e5c96835cea0cfba2246617d9a5894",)"
    R"("sha256":"28c4b0fc40fe9092915f9b21622b58afe409f99a2ea0a51a25e2d2c7c4340ed6"}},)"
    R"("dob":{{"date":"1988-06-28T19:49:18.816Z","age":38}},"registered":)"
    R"({{"date":"2004-05-27T15:08:15.346Z","age":22}},"phone":"011-600-1805","cell":)"
    R"("081-722-7214","id":{{"name":"PPS","value":"2143715T"}},"picture":)"
    R"({{"large":"https://example.com/api/portraits/women/48.jpg","medium":)"
    R"("https://example.com/api/portraits/med/women/48.jpg","thumbnail":)"
    R"("https://example.com/api/portraits/thumb/women/48.jpg"}},"nat":"IE"}})";

constexpr const char* kSelect =
    "SELECT login.uuid AS id, name.first AS first_name, name.last AS last_name, gender, "
    "concat(location.street.number, ' ', location.street.name, ', ', location.city, ', ', "
    "location.state, ', ', location.country) AS address, location.postcode AS post_code, email, "
    "login.username AS username, dob.date AS dob, registered.date AS registered_date, phone, "
    "picture.medium AS picture FROM users";

schema::Field text(const char* name) {
  return {name, {}};
}
schema::Field object(const char* name, schema::Columns fields) {
  return {name, {.kind = Kind::kStruct, .children = std::move(fields)}};
}

const schema::Columns kColumns = {
    text("gender"),
    object("name", {text("title"), text("first"), text("last")}),
    object("location", {object("street", {{"number", {.kind = Kind::kBigInt}}, text("name")}),
                        text("city"),
                        text("state"),
                        text("country"),
                        {"postcode", {.json_values = schema::kJsonString | schema::kJsonInteger}}}),
    text("email"),
    object("login", {{"uuid", {.kind = Kind::kUuid}}, text("username"), text("sha256")}),
    object("dob", {text("date")}),
    object("registered", {text("date")}),
    text("phone"),
    object("picture", {text("large"), text("medium")}),
};

std::string page_of_users(int count) {
  std::string page = R"({"results":[)";
  for (int i = 0; i < count; ++i) {
    if (i > 0) page += ',';
    page += fmt::format(fmt::runtime(kUser), i, i % 7 == 0 ? "\"4010 XJ\"" : "67757");
  }
  page += "]}";
  page.reserve(page.size() + kJsonPadding);
  return page;
}

class Discard : public TransformOutput {
 public:
  Result<void> rows(const Rows& rows, std::span<const int32_t>, std::span<const uint8_t>) override {
    benchmark::DoNotOptimize(rows.columns.data());
    return {};
  }
};

class WriteJson : public TransformOutput {
 public:
  explicit WriteJson(const schema::Columns& columns) : writer_(columns) {}
  Result<void> rows(const Rows& rows, std::span<const int32_t>, std::span<const uint8_t>) override {
    text_.clear();
    for (size_t i = 0; i < rows.count; ++i) writer_.append(rows, i, text_);
    benchmark::DoNotOptimize(text_.data());
    return {};
  }

 private:
  JsonWriter writer_;
  std::string text_;
};

template <class Output, class... Args>
void run_pages(benchmark::State& state, Args&&... args) {
  auto engine = Engine::open({});
  auto transform = Transform::prepare(**engine, {"users", kColumns, kSelect, {}});
  std::string page = page_of_users(static_cast<int>(state.range(0)));
  ItemSplitter splitter;
  std::vector<std::string> path = {"results"};
  std::vector<std::optional<std::string_view>> records;
  std::vector<Failure> failures;
  Output output(std::forward<Args>(args)...);
  for (auto _ : state) {
    auto items = splitter.split(page, path);
    records.assign(items->begin(), items->end());
    auto counts = transform->run(records, output, failures);
    if (!counts || counts->passed != records.size()) state.SkipWithError("not all users passed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(page.size()));
}

void decode_and_select(benchmark::State& state) {
  run_pages<Discard>(state);
}
BENCHMARK(decode_and_select)->Arg(1)->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);

void decode_select_write(benchmark::State& state) {
  schema::Columns columns;
  for (const char* name : {"id", "first_name", "last_name", "gender", "address", "post_code",
                           "email", "username", "dob", "registered_date", "phone", "picture"})
    columns.push_back(text(name));
  run_pages<WriteJson>(state, columns);
}
BENCHMARK(decode_select_write)->Arg(1000)->Unit(benchmark::kMicrosecond);

// The rows' values, one after the other, in one of the formats.
class WriteValues : public TransformOutput {
 public:
  WriteValues(const schema::Columns& columns, const AvroSchemas* avro)
      : writer_(make_writer(columns, avro)) {}
  Result<void> rows(const Rows& rows, std::span<const int32_t>, std::span<const uint8_t>) override {
    for (size_t i = 0; i < rows.count; ++i) writer_->append(rows, i, values.emplace_back());
    return {};
  }
  std::vector<std::string> values;

 private:
  std::unique_ptr<RecordWriter> writer_;
};

// Records of a topic, as a table reads them: the twelve fields of 1,000 users.
void decode_records(benchmark::State& state, bool is_avro) {
  auto engine = Engine::open({});
  auto transform = Transform::prepare(**engine, {"users", kColumns, kSelect, {}});
  auto columns = transform->columns();
  auto avro = is_avro ? std::make_shared<AvroSchemas>() : nullptr;
  if (is_avro) {
    avro->add(1, *schema::parse_avro_schema(*schema::to_avro_schema(columns, "users")));
    avro->write_with(1);
  }
  std::string page = page_of_users(1'000);
  ItemSplitter splitter;
  auto items = *splitter.split(page, std::vector<std::string>{"results"});
  std::vector<std::optional<std::string_view>> records(items.begin(), items.end());
  std::vector<Failure> failures;
  WriteValues output(columns, avro.get());
  if (!transform->run(records, output, failures)) return state.SkipWithError("no records");
  size_t bytes = 0;
  for (auto& value : output.values) {
    bytes += value.size();
    value.reserve(value.size() + kJsonPadding);
  }
  Chunk chunk(columns);
  auto decoder = make_decoder(columns, avro);
  for (auto _ : state) {
    decoder->begin(chunk.begin());
    for (size_t i = 0; i < output.values.size(); ++i)
      if (!decoder->decode(output.values[i], i)) state.SkipWithError(decoder->error().c_str());
    benchmark::DoNotOptimize(chunk.finish(output.values.size()));
  }
  state.SetItemsProcessed(state.iterations() * 1'000);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}
BENCHMARK_CAPTURE(decode_records, json, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(decode_records, avro, true)->Unit(benchmark::kMicrosecond);

// The reference: find the items, then every token of each.
void simdjson_alone(benchmark::State& state) {
  std::string page = page_of_users(static_cast<int>(state.range(0)));
  simdjson::dom::parser parser;
  for (auto _ : state) {
    simdjson::dom::element document;
    if (parser.parse(page.data(), page.size(), false).get(document) != simdjson::SUCCESS)
      state.SkipWithError("bad JSON");
    benchmark::DoNotOptimize(document);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(page.size()));
}
BENCHMARK(simdjson_alone)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace millrace::sql
