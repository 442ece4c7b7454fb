// Any bytes as a record batch, with the CRC made right so that reading goes on: nothing outside
// the bytes is touched, and the records that are read make a batch that reads the same.
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/check.h"
#include "base/checksum.h"
#include "record/record.h"

namespace millrace::record {
namespace {

constexpr size_t kCrcAt = 17;
constexpr size_t kCrcEnd = 21;

// nullopt: the batch is none, or broken somewhere.
std::optional<std::vector<RecordView>> read(std::string_view batch) {
  auto reader = BatchReader::open(batch);
  if (!reader) return std::nullopt;
  std::vector<RecordView> records;
  RecordView record;
  for (;;) {
    auto more = reader->next(record);
    if (!more) return std::nullopt;
    if (!*more) return records;
    records.push_back(record);
  }
}

void check_same(const RecordView& a, const RecordView& b) {
  MR_CHECK(a.timestamp_ms == b.timestamp_ms && a.key == b.key && a.value == b.value);
  auto headers_a = headers_of(a);
  auto headers_b = headers_of(b);
  MR_CHECK(headers_a && headers_b && headers_a->size() == headers_b->size());
  for (size_t i = 0; i < headers_a->size(); ++i) {
    MR_CHECK((*headers_a)[i].key == (*headers_b)[i].key);
    MR_CHECK((*headers_a)[i].value == (*headers_b)[i].value);
  }
}

void check(const uint8_t* data, size_t size) {
  // Memory of just this size, for the sanitizer to see a read past it.
  std::unique_ptr<char[]> bytes(new char[size]);
  std::copy_n(data, size, bytes.get());
  auto header = parse_batch_header({bytes.get(), size});
  if (!header || header->size_bytes > size) return;
  std::string_view batch(bytes.get(), header->size_bytes);
  store_be(bytes.get() + kCrcAt, crc32c(batch.substr(kCrcEnd)));
  header = parse_batch_header(batch);
  MR_CHECK(header && crc_matches(batch, *header));

  auto records = read(batch);
  if (!records || records->empty()) return;
  BatchBuilder builder;
  for (const auto& record : *records) {
    auto headers = headers_of(record);
    if (!headers || record.timestamp_ms < 0) return;
    builder.append(record.timestamp_ms, record.key, record.value, *headers);
  }
  auto again = read(builder.finish());
  MR_CHECK(again && again->size() == records->size());
  for (size_t i = 0; i < records->size(); ++i) check_same((*records)[i], (*again)[i]);
}

}  // namespace
}  // namespace millrace::record

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  millrace::record::check(data, size);
  return 0;
}
