#include "spec/keys_retention.h"

#include "base/text.h"
#include "base/time.h"

namespace millrace::spec {
namespace {

using namespace std::chrono_literals;

constexpr auto kTimeMin = 1s;
constexpr std::string_view kExpected =
    "a duration such as 7d, a size such as 10GiB, or {time: 7d, bytes: 10GiB}";

Object<RetentionSpec> bounds() {
  return {"retention",
          "Records go when either bound is passed.",
          {
              key("time", &RetentionSpec::time, optional(duration(kTimeMin)),
                  "How long a record is kept, from its timestamp."),
              key("bytes", &RetentionSpec::bytes, optional(size(1, INT64_MAX)),
                  "How many bytes of each partition are kept."),
          }};
}

void read_scalar(Reader& reader, const Item& item, RetentionSpec& to) {
  auto text = reader.plain(item, kExpected);
  if (!text) return;
  if (auto time = parse_duration(*text)) {
    if (*time < kTimeMin)
      return reader.unexpected(item, "a duration of 1s or more", in_quotes(*text));
    to.time = time;
  } else if (auto bytes = parse_size(*text); bytes && *bytes > 0) {
    to.bytes = bytes;
  } else {
    reader.unexpected(item, kExpected, in_quotes(*text));
  }
}

}  // namespace

Value<RetentionSpec> retention() {
  auto map = object(bounds());
  auto schema = nlohmann::ordered_json{
      {"anyOf",
       {duration(kTimeMin).shape.schema, size(1, INT64_MAX).shape.schema, map.shape.schema}}};
  return {{"duration, size or " + map.shape.label, schema, map.shape.objects},
          [read = std::move(map.read)](Reader& reader, const Item& item, RetentionSpec& to) {
            if (item.node.IsMap())
              read(reader, item, to);
            else
              read_scalar(reader, item, to);
          }};
}

}  // namespace millrace::spec
