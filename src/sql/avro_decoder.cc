#include "sql/avro_decoder.h"

#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_set>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/uuid.h"
#include "sql/avro_plan.h"
#include "sql/avro_reader.h"
#include "sql/avro_writer.h"

namespace millrace::sql {
namespace {

using schema::AvroKind;
using schema::AvroLogical;
using schema::Kind;

constexpr int64_t kMicrosOfDay = 86'400'000'000;

Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

// Big-endian two's complement; false: more than 128 bits.
bool int128_of(std::string_view bytes, Int128& number) {
  bool negative = !bytes.empty() && (bytes[0] & 0x80) != 0;
  while (bytes.size() > 16) {
    if (bytes[0] != (negative ? '\xff' : '\0')) return false;
    bytes.remove_prefix(1);
    if (((bytes[0] & 0x80) != 0) != negative) return false;
  }
  Unsigned128 bits = negative ? ~Unsigned128{0} : 0;
  for (char byte : bytes) bits = bits << 8 | static_cast<unsigned char>(byte);
  number = static_cast<Int128>(bits);
  return true;
}

// Another number of digits after the point; false where it is not exact or too large.
bool rescale(Int128& number, int from, int to) {
  for (; from < to; ++from)
    if (__builtin_mul_overflow(number, Int128{10}, &number)) return false;
  for (; from > to && number != 0; --from) {
    if (number % 10 != 0) return false;
    number /= 10;
  }
  return true;
}

}  // namespace

struct AvroDecoder::Impl {
  Impl(const schema::Columns& columns_wanted, std::shared_ptr<const AvroSchemas> of)
      : record{"", {.kind = Kind::kStruct, .children = columns_wanted}}, schemas(std::move(of)) {}

  schema::Field record;
  std::shared_ptr<const AvroSchemas> schemas;
  std::map<int32_t, AvroPlan> plans;
  int32_t plan_id = 0;
  const AvroPlan* plan = nullptr;

  std::span<VectorWriter> columns;
  AvroReader reader;
  std::string path;
  std::string error_text;
  size_t depth = 0;

  using Node = AvroPlan::Node;

  bool fail(std::string text) {
    error_text = std::move(text);
    return false;
  }
  bool bad(const Node& node) {
    return fail(fmt::format("bad Avro: no {} at byte {}", to_string(avro(node).kind),
                            kAvroFrame + reader.position()));
  }
  bool wrong(const Node& node, std::string_view got) {
    return fail(fmt::format("expected {}, got {}", schema::to_sql(node.field->type), got));
  }
  bool failed_in(std::string_view name) {
    path = path.empty() ? std::string(name) : fmt::format("{}.{}", name, path);
    return false;
  }
  const schema::AvroType& avro(const Node& node) const { return plan->schema->types[node.avro]; }

  bool choose(int32_t id);
  bool decode(std::string_view value, size_t row);
  bool decode(const Node& node, VectorWriter& writer, size_t row);
  bool decode_number(const Node& node, VectorWriter& writer, size_t row);
  bool decode_integer(const Node& node, int64_t number, VectorWriter& writer, size_t row);
  bool decode_bytes(const Node& node, VectorWriter& writer, size_t row);
  bool decode_decimal(const Node& node, std::string_view bytes, VectorWriter& writer, size_t row);
  bool decode_record(const Node& node, VectorWriter* writers, size_t row);
  bool decode_elements(const Node& node, VectorWriter& writer, size_t row);
  bool decode_union(const Node& node, VectorWriter& writer, size_t row);
  bool set_decimal(const Node& node, Int128 number, int scale, VectorWriter& writer, size_t row);
  bool set_time(const Node& node, int64_t number, int64_t unit, VectorWriter& writer, size_t row);
  bool skip(uint32_t type);
  bool skip_elements(const schema::AvroType& type);
};

bool AvroDecoder::Impl::choose(int32_t id) {
  auto known = plans.find(id);
  if (known == plans.end()) {
    auto schema = schemas->find(id);
    if (schema == nullptr)
      return fail(
          fmt::format("it was written with schema {}; the topic has {}", id, schemas->ids()));
    if (schema->types[0].kind != AvroKind::kRecord)
      return fail(fmt::format("schema {} is of {} and not of a record", id,
                              to_string(schema->types[0].kind)));
    known = plans.emplace(id, plan_avro(std::move(schema), record)).first;
  }
  plan = &known->second;
  plan_id = id;
  return true;
}

bool AvroDecoder::Impl::decode(std::string_view value, size_t row) {
  path.clear();
  if (value.size() < kAvroFrame || value[0] != kAvroMagic)
    return fail(fmt::format("bad Avro: {} bytes that do not begin with 00 and a schema's id: {}",
                            value.size(), excerpt(value, 60)));
  auto id = load_be<int32_t>(value.data() + 1);
  if ((plan == nullptr || id != plan_id) && !choose(id)) return false;
  reader = AvroReader(value.substr(kAvroFrame));
  depth = 0;
  if (!decode_record(plan->nodes[plan->root], columns.data(), row)) {
    if (!path.empty()) error_text = fmt::format("{}: {}", path, error_text);
    return false;
  }
  if (reader.left() > 0)
    return fail(fmt::format("bad Avro: {} more bytes after the record", reader.left()));
  return true;
}

bool AvroDecoder::Impl::decode(const Node& node, VectorWriter& writer, size_t row) {
  switch (node.step) {
    case AvroStep::kNull:
      if (!node.field->nullable) return wrong(node, "null");
      writer.set_null(row);
      return true;
    case AvroStep::kBoolean: {
      std::string_view byte;
      if (!reader.take(1, byte) || static_cast<unsigned char>(byte[0]) > 1) return bad(node);
      writer.set(row, byte[0] != 0);
      return true;
    }
    case AvroStep::kFloat:
    case AvroStep::kFloatToDouble: {
      float number = 0;
      if (!reader.read_floating(number)) return bad(node);
      if (node.step == AvroStep::kFloat)
        writer.set(row, number);
      else
        writer.set(row, static_cast<double>(number));
      return true;
    }
    case AvroStep::kDouble: {
      double number = 0;
      if (!reader.read_floating(number)) return bad(node);
      writer.set(row, number);
      return true;
    }
    case AvroStep::kText:
    case AvroStep::kBytes:
    case AvroStep::kUuidText:
    case AvroStep::kUuidBytes:
    case AvroStep::kDecimal:
      return decode_bytes(node, writer, row);
    case AvroStep::kUnion:
      return decode_union(node, writer, row);
    case AvroStep::kArray:
    case AvroStep::kMap:
      return decode_elements(node, writer, row);
    case AvroStep::kRecord:
      writer.set_valid(row);
      return decode_record(node, &writer.child(0), row);
    case AvroStep::kMismatch:
      return wrong(node, fmt::format("Avro's {}", to_string(avro(node).kind)));
    default:
      return decode_number(node, writer, row);
  }
}

// int, long, and what they stand for.
bool AvroDecoder::Impl::decode_number(const Node& node, VectorWriter& writer, size_t row) {
  int64_t number = 0;
  if (!reader.read(number)) return bad(node);
  bool is_int = avro(node).kind == AvroKind::kInt;
  if (is_int && number != static_cast<int32_t>(number)) return bad(node);
  switch (node.step) {
    case AvroStep::kInteger:
      return decode_integer(node, number, writer, row);
    case AvroStep::kIntegerToFloat:
      writer.set(row, static_cast<float>(number));
      return true;
    case AvroStep::kIntegerToDouble:
      writer.set(row, static_cast<double>(number));
      return true;
    case AvroStep::kIntegerToDecimal:
      return set_decimal(node, number, 0, writer, row);
    case AvroStep::kDate:
      writer.set(row, static_cast<int32_t>(number));
      return true;
    case AvroStep::kSymbol: {
      const auto& symbols = avro(node).names;
      if (number < 0 || static_cast<uint64_t>(number) >= symbols.size()) return bad(node);
      writer.set_text(row, symbols[static_cast<size_t>(number)]);
      return true;
    }
    case AvroStep::kTimeMillis:
    case AvroStep::kTimestampMillis:
      return set_time(node, number, 1'000, writer, row);
    default:
      return set_time(node, number, 1, writer, row);
  }
}

bool AvroDecoder::Impl::set_time(const Node& node, int64_t number, int64_t unit,
                                 VectorWriter& writer, size_t row) {
  int64_t micros = 0;
  bool fits = !__builtin_mul_overflow(number, unit, &micros);
  if (node.field->type.kind == Kind::kTime) fits = fits && micros >= 0 && micros <= kMicrosOfDay;
  if (!fits) return wrong(node, std::to_string(number));
  writer.set(row, micros);
  return true;
}

bool AvroDecoder::Impl::decode_integer(const Node& node, int64_t number, VectorWriter& writer,
                                       size_t row) {
  auto set = [&]<class T>(T) {
    if (number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max())
      return fail(fmt::format("{} does not fit {}", number, schema::to_sql(node.field->type)));
    writer.set(row, static_cast<T>(number));
    return true;
  };
  switch (node.field->type.kind) {
    case Kind::kTinyInt:
      return set(int8_t{});
    case Kind::kSmallInt:
      return set(int16_t{});
    case Kind::kInteger:
      return set(int32_t{});
    case Kind::kBigInt:
      return set(int64_t{});
    default:
      writer.set(row, Int128{number});
      return true;
  }
}

bool AvroDecoder::Impl::decode_bytes(const Node& node, VectorWriter& writer, size_t row) {
  const auto& type = avro(node);
  std::string_view bytes;
  bool there = type.kind == AvroKind::kFixed ? reader.take(type.size, bytes) : reader.read(bytes);
  if (!there) return bad(node);
  switch (node.step) {
    case AvroStep::kText:
      if (!simdjson::validate_utf8(bytes.data(), bytes.size()))
        return wrong(node, fmt::format("text that is not UTF-8: {}", excerpt(bytes, 60)));
      writer.set_text(row, bytes);
      return true;
    case AvroStep::kUuidText: {
      auto uuid = parse_uuid(bytes);
      if (!uuid) return wrong(node, excerpt(bytes, 60));
      writer.set_uuid(row, *uuid);
      return true;
    }
    case AvroStep::kUuidBytes: {
      Uuid uuid;
      std::ranges::copy(bytes, uuid.bytes.begin());
      writer.set_uuid(row, uuid);
      return true;
    }
    case AvroStep::kDecimal:
      return decode_decimal(node, bytes, writer, row);
    default:
      writer.set_text(row, bytes);
      return true;
  }
}

bool AvroDecoder::Impl::decode_decimal(const Node& node, std::string_view bytes,
                                       VectorWriter& writer, size_t row) {
  Int128 number = 0;
  if (!int128_of(bytes, number)) return wrong(node, "a larger number");
  return set_decimal(node, number, avro(node).scale, writer, row);
}

bool AvroDecoder::Impl::set_decimal(const Node& node, Int128 number, int scale,
                                    VectorWriter& writer, size_t row) {
  const auto& type = node.field->type;
  bool fits = rescale(number, scale, type.scale);
  if (type.kind == Kind::kHugeInt) {
    if (!fits) return wrong(node, "a number that is not whole");
    writer.set(row, number);
    return true;
  }
  Int128 limit = power_of_ten(type.precision);
  if (!fits || number >= limit || number <= -limit) return wrong(node, "a number with more digits");
  writer.set_decimal(row, number);
  return true;
}

bool AvroDecoder::Impl::decode_union(const Node& node, VectorWriter& writer, size_t row) {
  int64_t branch = 0;
  if (!reader.read(branch) || branch < 0 || static_cast<uint64_t>(branch) >= node.parts.size())
    return bad(node);
  return decode(plan->nodes[node.parts[static_cast<size_t>(branch)].node], writer, row);
}

bool AvroDecoder::Impl::decode_record(const Node& node, VectorWriter* writers, size_t row) {
  if (++depth > limits::kJsonDepthMax) return fail("nested too deep");
  const auto& columns_here = node.field->type.children;
  for (const auto& part : node.parts) {
    if (part.node == AvroPlan::kSkip) {
      if (!skip(part.avro)) return false;
    } else if (!decode(plan->nodes[part.node], writers[part.column], row)) {
      return failed_in(columns_here[part.column].name);
    }
  }
  for (uint32_t column : node.missing) {
    if (columns_here[column].required) {
      error_text = "required, but missing";
      return failed_in(columns_here[column].name);
    }
    writers[column].set_null(row);
  }
  --depth;
  return true;
}

bool AvroDecoder::Impl::decode_elements(const Node& node, VectorWriter& writer, size_t row) {
  bool is_map = node.step == AvroStep::kMap;
  const auto& element = plan->nodes[node.parts[0].node];
  ListValue list{writer.element_count(), 0};
  std::unordered_set<std::string_view> keys;
  for (uint64_t count = 0;;) {
    if (!reader.read_block(count)) return bad(node);
    if (count == 0) break;
    for (; count > 0; --count, ++list.length) {
      size_t at = writer.add_element();
      if (is_map) {
        std::string_view key;
        if (!reader.read(key) || !simdjson::validate_utf8(key.data(), key.size())) return bad(node);
        if (!keys.insert(key).second) return fail(fmt::format("key '{}' stands twice", key));
        writer.child(0).set_text(at, key);
      }
      if (!decode(element, writer.child(is_map ? 1 : 0), at))
        return failed_in(fmt::format("[{}]", list.length));
    }
  }
  writer.set(row, list);
  return true;
}

bool AvroDecoder::Impl::skip_elements(const schema::AvroType& type) {
  for (uint64_t count = 0;;) {
    if (!reader.read_block(count)) return false;
    if (count == 0) return true;
    std::string_view key;
    for (; count > 0; --count)
      if ((type.kind == AvroKind::kMap && !reader.read(key)) || !skip(type.children[0]))
        return false;
  }
}

// Passes over a value that no column takes.
bool AvroDecoder::Impl::skip(uint32_t position) {
  const auto& type = plan->schema->types[position];
  if (++depth > limits::kJsonDepthMax) return fail("nested too deep");
  int64_t number = 0;
  std::string_view bytes;
  bool good = true;
  switch (type.kind) {
    case AvroKind::kNull:
      break;
    case AvroKind::kBoolean:
      good = reader.take(1, bytes);
      break;
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kEnum:
      good = reader.read(number);
      break;
    case AvroKind::kFloat:
      good = reader.take(4, bytes);
      break;
    case AvroKind::kDouble:
      good = reader.take(8, bytes);
      break;
    case AvroKind::kBytes:
    case AvroKind::kString:
      good = reader.read(bytes);
      break;
    case AvroKind::kFixed:
      good = reader.take(type.size, bytes);
      break;
    case AvroKind::kArray:
    case AvroKind::kMap:
      good = skip_elements(type);
      break;
    case AvroKind::kRecord:
      for (uint32_t child : type.children)
        if (!skip(child)) return false;
      break;
    case AvroKind::kUnion:
      good = reader.read(number) && number >= 0 &&
             static_cast<uint64_t>(number) < type.children.size() &&
             skip(type.children[static_cast<size_t>(number)]);
      break;
  }
  --depth;
  if (good) return true;
  return fail(fmt::format("bad Avro: no {} at byte {}", to_string(type.kind),
                          kAvroFrame + reader.position()));
}

std::string AvroSchemas::ids() const {
  std::scoped_lock lock(mutex_);
  std::vector<int32_t> ids;
  for (const auto& [id, schema] : schemas_) ids.push_back(id);
  return ids.empty() ? "none" : fmt::format("{}", fmt::join(ids, ", "));
}

AvroDecoder::AvroDecoder(const schema::Columns& columns, std::shared_ptr<const AvroSchemas> schemas)
    : impl_(std::make_unique<Impl>(columns, std::move(schemas))) {}
AvroDecoder::~AvroDecoder() = default;

void AvroDecoder::begin(std::span<VectorWriter> columns) {
  impl_->columns = columns;
}

bool AvroDecoder::decode(std::string_view value, size_t row) {
  return impl_->decode(value, row);
}

const std::string& AvroDecoder::error() const {
  return impl_->error_text;
}

}  // namespace millrace::sql
