#include "infer/sample.h"

#include <zlib.h>

#include <array>

#include "base/limits.h"
#include "io/io.h"
#include "source/answer_format.h"
#include "source/source.h"
#include "sql/json_split.h"

namespace millrace::infer {
namespace {

using Format = Sample::Format;

constexpr std::string_view kGzip = ".gz";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr Bytef kGzipFirstByte = 0x1f;
constexpr std::chrono::milliseconds kTimeout{30'000};
constexpr std::string_view kAccessAdvice =
    "give what the API asks for, such as --header 'Authorization: Bearer ${secret:NAME}'";

Result<std::string> unpacked(const std::string& path, const std::string& packed) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  if (inflateInit2(&stream, kGzipWindow) != Z_OK)
    return fail(ErrorCode::kIo, "no memory to unpack {}", path);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  std::array<char, 1 << 16> piece;
  int state = Z_OK;
  while (state == Z_OK && text.size() <= limits::kResponseBytesMax) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    state = inflate(&stream, Z_NO_FLUSH);
    text.append(piece.data(), piece.size() - stream.avail_out);
    // Of one gzip file after another all are meant (RFC 1952, 2.2).
    bool has_another = stream.avail_in > 0 && *stream.next_in == kGzipFirstByte;
    if (state == Z_STREAM_END && has_another) state = inflateReset(&stream);
  }
  inflateEnd(&stream);
  if (state == Z_OK) return fail(ErrorCode::kLimit, "{} is too large when unpacked", path);
  if (state != Z_STREAM_END) return fail(ErrorCode::kCorrupt, "{} is no whole gzip file", path);
  return text;
}

// Whether there are lines, each an object of its own.
bool looks_like_lines(std::string_view text) {
  size_t end = text.find('\n');
  if (!text.starts_with('{') || end == std::string_view::npos) return false;
  auto first = text.substr(0, end);
  auto second = text.substr(text.find_first_not_of(" \t\r\n", end) == std::string_view::npos
                                ? text.size()
                                : text.find_first_not_of(" \t\r\n", end));
  first = first.substr(0, first.find_last_not_of(" \t\r") + 1);
  return first.ends_with('}') && (second.empty() || second.starts_with('{'));
}

Format format_of(std::string_view name, std::string_view text) {
  if (name.ends_with(".csv")) return Format::kCsv;
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) return Format::kJsonLines;
  return looks_like_lines(text) ? Format::kJsonLines : Format::kJson;
}

std::string_view without_mark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

Result<Sample> fetch(const std::string& address, const std::vector<Header>& headers) {
  spec::HttpSpec http;
  http.url.value = http.url.shown = address;
  http.timeout = kTimeout;
  for (const auto& header : headers) http.headers.emplace_back(header.name, header.value);
  source::Fetcher fetcher(http, Format::kByType, kAccessAdvice);
  auto request = MR_TRY(source::request_for(http, {}));
  auto response = MR_TRY(fetcher.fetch(request, {}));
  std::string body(without_mark(response.body));
  auto told = source::format_of(Format::kByType, response.content_type, body);
  bool is_json = !told || *told == Format::kJson;
  auto format = is_json ? format_of(address.substr(0, address.find_first_of("?#")), body) : *told;
  return Sample{.from = address,
                .body = std::move(body),
                .format = format,
                .format_is_told = told && *told == format,
                .links = response.links};
}

Result<Sample> read(const std::string& path) {
  auto text = MR_TRY(io::read_file(path, limits::kResponseBytesMax));
  std::string_view name = path;
  if (name.ends_with(kGzip)) {
    text = MR_TRY(unpacked(path, text));
    name.remove_suffix(kGzip.size());
  }
  std::string body(without_mark(text));
  auto format = format_of(name, body);
  return Sample{.from = path, .body = std::move(body), .format = format, .links = {}};
}

}  // namespace

bool is_address(std::string_view from) {
  return from.starts_with("http://") || from.starts_with("https://") ||
         from.starts_with("sample://");
}

Result<Sample> take_sample(const std::string& from, const std::vector<Header>& headers) {
  auto sample = MR_TRY(is_address(from) ? fetch(from, headers) : read(from));
  sample.size = sample.body.size();
  sample.body.append(sql::kJsonPadding, '\0');
  return sample;
}

}  // namespace millrace::infer
