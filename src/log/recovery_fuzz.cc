// Any bytes as the last segment of a log and its index: opening says what is wrong or finds an end;
// what it serves is whole batches with right CRCs and no gap, the same when opened again, and the
// log takes appends behind it.
// Input: instructions, see Image.
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "base/bytes.h"
#include "base/check.h"
#include "base/checksum.h"
#include "io/io.h"
#include "log/log.h"
#include "record/record.h"

namespace millrace::log {
namespace {

constexpr size_t kSegmentBytes = 16'384;
constexpr size_t kSegmentBytesMax = 12'000;

// What the instructions make: 1 byte says which, the next one or two with what.
class Image {
 public:
  explicit Image(std::string_view input) {
    while (input.size() >= 2 && segment.size() < kSegmentBytesMax) {
      auto what = static_cast<uint8_t>(input[0]);
      auto number = static_cast<uint8_t>(input[1]);
      input.remove_prefix(2);
      switch (what % 7) {
        case 0:
          add_batch(number);
          break;
        case 1:  // a batch that says that it is another offset's
          next_offset += number % 3;
          add_batch(1);
          break;
        case 2:
          segment.append(number, '\0');
          break;
        case 3: {
          auto bytes = input.substr(0, number);
          segment += bytes;
          input.remove_prefix(bytes.size());
          break;
        }
        case 4:
          if (!segment.empty()) segment[number % segment.size()] ^= 0x10;
          break;
        case 5:
          add_row();
          break;
        default:
          segment.resize(segment.size() - std::min<size_t>(number, segment.size()));
      }
    }
    index += input;
  }

  std::string segment;
  std::string index;

 private:
  void add_batch(uint8_t number) {
    record::BatchBuilder builder;
    for (int i = 0; i <= number % 4; ++i) builder.append(1'000, "key", std::string(number, 'v'));
    std::string batch(builder.finish());
    record::set_base_offset(batch.data(), Offset(next_offset));
    segment += batch;
    next_offset += builder.count();
  }
  void add_row() {
    std::string row;
    append_be(row, next_offset);
    append_be(row, static_cast<uint32_t>(segment.size()));
    append_be(row, int64_t{1'000});
    append_be(row, crc32c(row));
    index += row;
  }
  int64_t next_offset = 0;
};

class Files {
 public:
  Files() : logger_(LogFormat::kText, LogLevel::kError, [](std::string_view) {}) {
    auto pattern = (std::filesystem::temp_directory_path() / "millrace-recovery-XXXXXX").string();
    MR_CHECK(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    auto log = open();
    MR_CHECK(log && (*log)->create_topic("t", 1, "{}"));
  }
  ~Files() { std::filesystem::remove_all(folder_); }

  void write(const Image& image) const {
    auto partition = folder_ + "/t/0";
    for (const auto& file : std::filesystem::directory_iterator(partition))
      std::filesystem::remove(file);
    auto base = partition + "/00000000000000000000";
    std::ofstream(base + ".segment", std::ios::binary) << image.segment;
    if (!image.index.empty()) std::ofstream(base + ".index", std::ios::binary) << image.index;
  }
  Result<std::unique_ptr<Log>> open() {
    return Log::open(folder_, logger_, {.segment_bytes = kSegmentBytes});
  }

 private:
  std::string folder_;
  Logger logger_;
};

// All that is served, batch after batch; nullopt where reading finds corruption.
std::optional<std::string> read_all(const Partition& partition) {
  std::string all;
  std::string buffer;
  Offset next = partition.start_offset();
  while (next < partition.end_offset()) {
    auto batches = partition.read(next, 1, buffer);
    if (!batches) {
      MR_CHECK(batches.error().code() == ErrorCode::kCorrupt);
      return std::nullopt;
    }
    MR_CHECK(!batches->empty());
    auto header = record::parse_batch_header(*batches);
    MR_CHECK(header && header->size_bytes == batches->size());
    MR_CHECK(header->base_offset == next && record::crc_matches(*batches, *header));
    all += *batches;
    next = header->next_offset();
  }
  return all;
}

void check(std::string_view input) {
  static Files files;
  files.write(Image(input));
  std::optional<std::string> first;
  {
    auto log = files.open();
    if (!log) {
      MR_CHECK(log.error().code() == ErrorCode::kCorrupt);
      return;
    }
    auto* topic = (*log)->find_topic("t");
    MR_CHECK(topic != nullptr);
    first = read_all(topic->partition(PartitionId(0)));
  }
  auto log = files.open();
  MR_CHECK(log.has_value());
  auto& partition = (*log)->find_topic("t")->partition(PartitionId(0));
  MR_CHECK(read_all(partition) == first);
  record::BatchBuilder builder;
  builder.append(2'000, "key", "appended");
  Offset end = partition.end_offset();
  auto appended = partition.append(builder.finish());
  MR_CHECK(appended && *appended == end);
  std::string buffer;
  auto last = partition.read(end, 1, buffer);
  MR_CHECK(last && !last->empty());
}

}  // namespace
}  // namespace millrace::log

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  millrace::log::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
