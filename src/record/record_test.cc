#include "record/record.h"

#include <gtest/gtest.h>

#include <random>

#include "base/bytes.h"

namespace millrace::record {
namespace {

// Three records as kafka-python 2.0.2 encodes them.
constexpr std::string_view kFromKafkaPython =
    "0000000000000000000000a00000000002b5f817ea0000000000020000018bcfe5687b0000018bcfe56be8ffff"
    "ffffffffffffffffffffffff000000031a000000046b310a68656c6c6f002000050201010402680276086e756c"
    "6c019c0100da0d04008c0178787878787878787878787878787878787878787878787878787878787878787878"
    "78787878787878787878787878787878787878787878787878787878787878787878787800";

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

void append_same_records(BatchBuilder& builder) {
  std::vector<Header> headers = {{"h", "v"}, {"null", std::nullopt}};
  builder.append(1'700'000'000'123, "k1", "hello");
  builder.append(1'700'000'000'120, std::nullopt, std::nullopt, headers);
  builder.append(1'700'000'001'000, "", std::string(70, 'x'));
}

void expect_same_records(std::string_view batch, Offset base) {
  auto reader = BatchReader::open(batch);
  ASSERT_TRUE(reader);
  RecordView record;
  ASSERT_EQ(reader->next(record), true);
  EXPECT_EQ(record.offset, base);
  EXPECT_EQ(record.timestamp_ms, 1'700'000'000'123);
  EXPECT_EQ(record.key, "k1");
  EXPECT_EQ(record.value, "hello");
  EXPECT_TRUE(headers_of(record)->empty());
  ASSERT_EQ(reader->next(record), true);
  EXPECT_EQ(record.offset, base + 1);
  EXPECT_EQ(record.timestamp_ms, 1'700'000'000'120);
  EXPECT_EQ(record.key, std::nullopt);
  EXPECT_EQ(record.value, std::nullopt);
  auto headers = headers_of(record);
  ASSERT_EQ(headers->size(), 2u);
  EXPECT_EQ((*headers)[0].key, "h");
  EXPECT_EQ((*headers)[0].value, "v");
  EXPECT_EQ((*headers)[1].key, "null");
  EXPECT_EQ((*headers)[1].value, std::nullopt);
  ASSERT_EQ(reader->next(record), true);
  EXPECT_EQ(record.offset, base + 2);
  EXPECT_EQ(record.timestamp_ms, 1'700'000'001'000);
  EXPECT_EQ(record.key, "");
  EXPECT_EQ(record.value, std::string(70, 'x'));
  EXPECT_EQ(reader->next(record), false);
  EXPECT_EQ(reader->next(record), false);
}

TEST(Batch, ReadsWhatARealClientWrote) {
  std::string batch = from_hex(kFromKafkaPython);
  auto header = parse_batch_header(batch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->size_bytes, batch.size());
  EXPECT_EQ(header->count, 3);
  EXPECT_EQ(header->last_offset_delta, 2);
  EXPECT_EQ(header->base_timestamp_ms, 1'700'000'000'123);
  EXPECT_EQ(header->max_timestamp_ms, 1'700'000'001'000);
  EXPECT_EQ(header->producer_id, -1);
  EXPECT_TRUE(crc_matches(batch, *header));
  expect_same_records(batch, Offset(0));
}

TEST(Batch, WritesTheBytesThatARealClientWrites) {
  BatchBuilder builder;
  append_same_records(builder);
  std::string ours(builder.finish());
  set_base_offset(ours.data(), Offset(0), 0);  // kafka-python's choice of leader epoch
  EXPECT_EQ(ours, from_hex(kFromKafkaPython));
}

TEST(Batch, BuilderIsReusable) {
  BatchBuilder builder;
  builder.append(1, "other", "other");
  builder.finish();
  builder.clear();
  EXPECT_EQ(builder.count(), 0);
  EXPECT_EQ(builder.size_bytes(), 0u);
  append_same_records(builder);
  EXPECT_EQ(builder.count(), 3);
  EXPECT_EQ(builder.size_bytes(), builder.finish().size());
  expect_same_records(builder.finish(), Offset(0));
  builder.append(1'700'000'002'000, "more", "after finish");
  auto header = parse_batch_header(builder.finish());
  EXPECT_EQ(header->count, 4);
  EXPECT_TRUE(crc_matches(builder.finish(), *header));
}

TEST(Batch, BaseOffsetIsOutsideTheCrc) {
  std::string batch = from_hex(kFromKafkaPython);
  set_base_offset(batch.data(), Offset(int64_t{1} << 40), 7);
  auto header = parse_batch_header(batch);
  EXPECT_TRUE(crc_matches(batch, *header));
  EXPECT_EQ(header->next_offset(), Offset((int64_t{1} << 40) + 3));
  expect_same_records(batch, Offset(int64_t{1} << 40));
}

TEST(Batch, EveryFlippedBitAfterTheCrcIsSeen) {
  std::string batch = from_hex(kFromKafkaPython);
  auto header = parse_batch_header(batch);
  for (size_t bit = 17 * 8; bit < batch.size() * 8; ++bit) {
    std::string flipped = batch;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    auto flipped_header = parse_batch_header(flipped);
    EXPECT_FALSE(flipped_header && crc_matches(flipped, *flipped_header)) << "bit " << bit;
  }
}

TEST(Batch, LongVarintsAndManyRecords) {
  BatchBuilder builder;
  std::string large(300'000, 'v');
  builder.append(0, "k", large);
  for (int i = 1; i < 20'000; ++i) builder.append(int64_t{i} << 30, std::to_string(i), "v");
  auto reader = BatchReader::open(builder.finish());
  ASSERT_TRUE(reader);
  RecordView record;
  ASSERT_EQ(reader->next(record), true);
  EXPECT_EQ(record.value, large);
  for (int i = 1; i < 20'000; ++i) {
    ASSERT_EQ(reader->next(record), true);
    ASSERT_EQ(record.offset, Offset(i));
    ASSERT_EQ(record.timestamp_ms, int64_t{i} << 30);
    ASSERT_EQ(record.key, std::to_string(i));
  }
  EXPECT_EQ(reader->next(record), false);
}

TEST(Batch, RefusesWhatItCannotRead) {
  std::string batch = from_hex(kFromKafkaPython);
  auto with = [&](size_t at, auto value) {
    std::string changed = batch;
    store_be(changed.data() + at, value);
    return changed;
  };
  EXPECT_EQ(BatchReader::open(with(21, int16_t{4})).error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(BatchReader::open(with(21, int16_t{0x20})).error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(parse_batch_header(with(16, int8_t{1})).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_batch_header(with(8, int32_t{48})).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_batch_header(with(8, INT32_MAX)).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_batch_header(with(0, int64_t{-1})).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_batch_header(with(0, INT64_MAX - 2)).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_batch_header(with(23, int32_t{-1})).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_batch_header(with(57, int32_t{4})).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(parse_batch_header(with(57, int32_t{-1})).error().code(), ErrorCode::kCorrupt);
  auto log_append_time = with(21, int16_t{8});
  auto reader = BatchReader::open(log_append_time);
  RecordView record;
  ASSERT_EQ(reader->next(record), true);
  EXPECT_EQ(record.timestamp_ms, 1'700'000'001'000);
}

// Reads all there is, whatever it is. The bytes stand at the end of their own allocation, so that
// the address sanitizer sees a step past it.
void read_all(std::string_view bytes) {
  std::vector<char> exact(bytes.begin(), bytes.end());
  auto reader = BatchReader::open({exact.data(), exact.size()});
  if (!reader) return;
  crc_matches({exact.data(), exact.size()}, reader->header());
  RecordView record;
  for (;;) {
    auto more = reader->next(record);
    if (!more || !*more) return;
    (void)headers_of(record);
  }
}

TEST(Batch, SurvivesAnyBytes) {
  std::string batch = from_hex(kFromKafkaPython);
  for (size_t size = 0; size < batch.size(); ++size) read_all(batch.substr(0, size));
  constexpr uint32_t kSeed = 20'261'121;
  std::mt19937 random(kSeed);
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes = batch;
    for (uint32_t change = random() % 4 + 1; change > 0; --change)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    store_be<int32_t>(bytes.data() + 8, static_cast<int32_t>(bytes.size() - 12));
    bytes[16] = 2;
    read_all(bytes);
  }
}

}  // namespace
}  // namespace millrace::record
