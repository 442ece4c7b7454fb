#include "sql/json_decoder.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <charconv>
#include <limits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/text.h"
#include "base/time.h"
#include "sql/json_scalar.h"
#include "sql/json_skip.h"
#include "sql/json_split.h"
#include "sql/json_text.h"
#include "sql/text_arena.h"

namespace millrace::sql {
namespace {

using schema::Kind;
namespace ondemand = simdjson::ondemand;
static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

// An object's field: where it goes and how to recognise its key in the raw JSON.
struct FieldDecoder {
  const schema::Field* field;
  uint64_t prefix = 0;  // the first bytes of `name"`, up to eight
  uint64_t mask = 0;
  std::vector<FieldDecoder> children;
  std::vector<uint8_t> seen;  // which children the object at hand had; for STRUCT

  explicit FieldDecoder(const schema::Field& f) : field(&f), seen(f.type.children.size()) {
    char bytes[8] = {};
    char bits[8] = {};
    size_t length = std::min<size_t>(8, f.name.size() + 1);
    std::memcpy(bytes, f.name.data(), std::min<size_t>(8, f.name.size()));
    if (f.name.size() < 8) bytes[f.name.size()] = '"';
    std::memset(bits, 0xff, length);
    std::memcpy(&prefix, bytes, 8);
    std::memcpy(&mask, bits, 8);
    // Such a name always stands escaped; as it is, it could be a key and what follows it.
    if (f.name.find_first_of("\"\\") != std::string::npos) mask = 0, prefix = 1;
    for (const auto& child : f.type.children) children.emplace_back(child);
  }

  // Whether a key without escapes is this field's.
  // `raw` is the key's text after its opening quote, with kJsonPadding bytes behind the JSON.
  bool matches(const char* raw) const {
    uint64_t front;
    std::memcpy(&front, raw, 8);
    if ((front & mask) != prefix) return false;
    size_t size = field->name.size();
    return size < 8 ||
           (std::strncmp(raw + 8, field->name.data() + 8, size - 8) == 0 && raw[size] == '"');
  }
};

const char* json_kind(std::string_view token) {
  switch (token.empty() ? '\0' : token[0]) {
    case '"':
      return "a string";
    case '{':
      return "an object";
    case '[':
      return "an array";
    case 't':
    case 'f':
      return "a boolean";
    case 'n':
      return "null";
    default:
      return "a number";
  }
}

std::string accepted_kinds(uint8_t json_values) {
  constexpr std::pair<uint8_t, const char*> kNames[] = {
      {schema::kJsonString, "a string"},    {schema::kJsonNumber, "a number"},
      {schema::kJsonInteger, "an integer"}, {schema::kJsonBoolean, "a boolean"},
      {schema::kJsonObject, "an object"},   {schema::kJsonArray, "an array"}};
  std::string text;
  for (const auto& [bit, name] : kNames)
    if ((json_values & bit) != 0) text += fmt::format("{}{}", text.empty() ? "" : " or ", name);
  return text;
}

template <class T>
bool fits(Int128 number) {
  return number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max();
}

// False: a FLOAT or DOUBLE has no such value.
template <class T>
bool set_floating(std::string_view token, VectorWriter& writer, size_t row) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  std::optional<T> number;
  if (!token.starts_with('"'))
    number = parse_floating<T>(token);
  else if (token == "\"NaN\"")
    number = std::numeric_limits<T>::quiet_NaN();
  else if (token == "\"Infinity\"" || token == "\"-Infinity\"")
    number = token[1] == '-' ? -kInfinity : kInfinity;
  if (number) writer.set(row, *number);
  return number.has_value();
}

}  // namespace

struct JsonDecoder::Impl {
  Impl(const schema::Columns& wanted, UnknownFields unknown_fields)
      : top_field{"", {.kind = Kind::kStruct, .children = wanted}},
        top(top_field),
        unknown(unknown_fields) {}

  schema::Field top_field;
  FieldDecoder top;
  const UnknownFields unknown;
  std::span<VectorWriter> columns;
  ondemand::parser parser;
  TextArena arena;
  std::string error_text;
  size_t depth = 0;          // of arrays and objects that are open
  bool has_escapes = false;  // in the record at hand

  bool fail(std::string text) {
    error_text = std::move(text);
    return false;
  }
  bool fail(simdjson::error_code code) { return bad_json(simdjson::error_message(code)); }
  bool bad_json(std::string_view problem) { return fail(fmt::format("bad JSON: {}", problem)); }
  bool wrong_type(const FieldDecoder& node, std::string_view token) {
    std::string wanted = node.field->type.kind == Kind::kVarchar
                             ? accepted_kinds(node.field->type.json_values)
                             : schema::to_sql(node.field->type);
    std::string_view kind = json_kind(token);
    return fail(kind == token
                    ? fmt::format("expected {}, got null", wanted)
                    : fmt::format("expected {}, got {} {}", wanted, kind, excerpt(token, 60)));
  }
  // Puts the name of a field before the error of what is inside it.
  bool failed_in(const std::string& name) {
    bool is_path = error_text.starts_with('\x01');
    error_text = fmt::format("\x01{}{}{}", name, is_path ? "." : ": ",
                             std::string_view(error_text).substr(is_path ? 1 : 0));
    return false;
  }

  bool decode_document(std::string_view json, size_t row);
  bool decode_fields(FieldDecoder& node, ondemand::object& object, VectorWriter* writers,
                     size_t row);
  FieldDecoder* find(FieldDecoder& node, ondemand::field& field, size_t& expected);
  bool no_such_field(const FieldDecoder& node, const char* raw);
  bool finish_fields(FieldDecoder& node, VectorWriter* writers, size_t row);
  bool decode_value(FieldDecoder& node, ondemand::value& value, VectorWriter& writer, size_t row);
  bool decode_list(FieldDecoder& node, ondemand::value& value, VectorWriter& writer, size_t row);
  bool decode_map(FieldDecoder& node, ondemand::value& value, VectorWriter& writer, size_t row);
  bool decode_number(const FieldDecoder& node, std::string_view token, VectorWriter& writer,
                     size_t row);
  bool decode_text(const FieldDecoder& node, ondemand::value& value, std::string_view token,
                   VectorWriter& writer, size_t row);
  bool decode_typed_string(const FieldDecoder& node, std::string_view text, VectorWriter& writer,
                           size_t row);
  bool string_content(ondemand::raw_json_string raw, std::string_view token,
                      std::string_view& text);
};

bool JsonDecoder::Impl::decode_document(std::string_view json, size_t row) {
  ondemand::document document;
  simdjson::padded_string_view padded(json.data(), json.size(), json.size() + kJsonPadding);
  if (auto code = parser.iterate(padded).get(document)) return fail(code);
  has_escapes = json.find('\\') != std::string_view::npos;
  if (has_escapes && !escapes_are_valid(json)) return bad_json("a backslash that begins no escape");
  ondemand::object object;
  if (auto code = document.get_object().get(object)) {
    if (code != simdjson::INCORRECT_TYPE) return fail(code);
    return fail(fmt::format("expected an object, got {}", excerpt(json, 60)));
  }
  depth = 0;
  if (!decode_fields(top, object, columns.data(), row)) return false;
  const char* after = nullptr;
  if (document.current_location().get(after) == simdjson::SUCCESS)
    return bad_json("more text after the object");
  return true;
}

bool JsonDecoder::Impl::decode_fields(FieldDecoder& node, ondemand::object& object,
                                      VectorWriter* writers, size_t row) {
  std::ranges::fill(node.seen, uint8_t{0});
  size_t expected = 0;
  ++depth;
  for (auto result : object) {
    ondemand::field field;
    if (auto code = std::move(result).get(field)) return fail(code);
    const char* raw = field.key().raw();
    FieldDecoder* child = find(node, field, expected);
    if (child == nullptr) {
      if (unknown == UnknownFields::kRefuse) return no_such_field(node, raw);
      if (const char* problem = skip_value(field.value(), depth)) return bad_json(problem);
      continue;
    }
    auto i = static_cast<size_t>(child - node.children.data());
    node.seen[i] = 1;
    if (!decode_value(*child, field.value(), writers[i], row)) return failed_in(child->field->name);
  }
  --depth;
  return finish_fields(node, writers, row);
}

FieldDecoder* JsonDecoder::Impl::find(FieldDecoder& node, ondemand::field& field,
                                      size_t& expected) {
  const char* raw = field.key().raw();
  size_t count = node.children.size();
  for (size_t tried = 0; tried < count; ++tried) {
    size_t i = expected + tried < count ? expected + tried : expected + tried - count;
    if (!node.children[i].matches(raw)) continue;
    expected = i + 1 == count ? 0 : i + 1;
    return &node.children[i];
  }
  if (!has_escapes) return nullptr;
  const char* end = raw;
  while (*end != '"' && *end != '\\') ++end;
  if (*end == '"') return nullptr;
  std::string_view key;
  if (field.unescaped_key().get(key) != simdjson::SUCCESS) return nullptr;
  for (auto& child : node.children)
    if (child.field->name == key) return &child;
  return nullptr;
}

// `raw`: the key's text after its opening quote.
bool JsonDecoder::Impl::no_such_field(const FieldDecoder& node, const char* raw) {
  const char* end = raw;
  while (*end != '"') end += *end == '\\' ? 2 : 1;
  std::string_view name(raw, end);
  std::vector<std::string> names;
  for (const auto& child : node.children) names.push_back(child.field->name);
  auto meant = did_you_mean(name, names);
  return fail(fmt::format("there is no '{}'{}", excerpt(name, 60),
                          meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant)));
}

bool JsonDecoder::Impl::finish_fields(FieldDecoder& node, VectorWriter* writers, size_t row) {
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (node.seen[i] != 0) continue;
    const auto& field = *node.children[i].field;
    if (field.required) {
      error_text = "required, but missing";
      return failed_in(field.name);
    }
    writers[i].set_null(row);
  }
  return true;
}

bool JsonDecoder::Impl::decode_value(FieldDecoder& node, ondemand::value& value,
                                     VectorWriter& writer, size_t row) {
  std::string_view token = trimmed(value.raw_json_token());
  if (token.starts_with('n')) {
    if (token != "null") return fail(fmt::format("bad JSON: {}", excerpt(token, 60)));
    if (!node.field->nullable) return wrong_type(node, token);
    writer.set_null(row);
    return true;
  }
  switch (node.field->type.kind) {
    case Kind::kVarchar:
      return decode_text(node, value, token, writer, row);
    case Kind::kBoolean:
      if (token != "true" && token != "false") return wrong_type(node, token);
      writer.set(row, token == "true");
      return true;
    case Kind::kStruct: {
      ondemand::object object;
      if (!token.starts_with('{')) return wrong_type(node, token);
      if (auto code = value.get_object().get(object)) return fail(code);
      writer.set_valid(row);
      return decode_fields(node, object, &writer.child(0), row);
    }
    case Kind::kList:
      return decode_list(node, value, writer, row);
    case Kind::kMap:
      return decode_map(node, value, writer, row);
    case Kind::kBlob:
    case Kind::kUuid:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kTimestamp: {
      if (!token.starts_with('"')) return wrong_type(node, token);
      std::string_view text;
      ondemand::raw_json_string raw;
      if (auto code = value.get_raw_json_string().get(raw)) return fail(code);
      if (!string_content(raw, token, text)) return false;
      return decode_typed_string(node, text, writer, row) || wrong_type(node, token);
    }
    default:
      return decode_number(node, token, writer, row);
  }
}

bool JsonDecoder::Impl::decode_list(FieldDecoder& node, ondemand::value& value,
                                    VectorWriter& writer, size_t row) {
  ondemand::array array;
  std::string_view token = trimmed(value.raw_json_token());
  if (!token.starts_with('[')) return wrong_type(node, token);
  if (auto code = value.get_array().get(array)) return fail(code);
  ListValue list{writer.element_count(), 0};
  ++depth;
  for (auto result : array) {
    ondemand::value element;
    if (auto code = std::move(result).get(element)) return fail(code);
    size_t at = writer.add_element();
    if (!decode_value(node.children[0], element, writer.child(0), at))
      return failed_in(fmt::format("[{}]", list.length));
    ++list.length;
  }
  --depth;
  writer.set(row, list);
  return true;
}

bool JsonDecoder::Impl::decode_map(FieldDecoder& node, ondemand::value& value, VectorWriter& writer,
                                   size_t row) {
  ondemand::object object;
  std::string_view token = trimmed(value.raw_json_token());
  if (!token.starts_with('{')) return wrong_type(node, token);
  if (auto code = value.get_object().get(object)) return fail(code);
  ListValue list{writer.element_count(), 0};
  ++depth;
  std::unordered_set<std::string_view> keys;
  for (auto result : object) {
    ondemand::field field;
    if (auto code = std::move(result).get(field)) return fail(code);
    std::string_view unescaped;
    if (auto code = field.unescaped_key().get(unescaped)) return fail(code);
    std::string_view key = arena.keep(unescaped);
    if (!keys.insert(key).second) return fail(fmt::format("key '{}' stands twice", key));
    size_t at = writer.add_element();
    writer.child(0).set_text(at, key);
    if (!decode_value(node.children[1], field.value(), writer.child(1), at))
      return failed_in(std::string(key));
    ++list.length;
  }
  --depth;
  writer.set(row, list);
  return true;
}

bool JsonDecoder::Impl::decode_number(const FieldDecoder& node, std::string_view token,
                                      VectorWriter& writer, size_t row) {
  Kind kind = node.field->type.kind;
  if (kind == Kind::kDouble)
    return set_floating<double>(token, writer, row) || wrong_type(node, token);
  if (kind == Kind::kFloat)
    return set_floating<float>(token, writer, row) || wrong_type(node, token);
  if (kind == Kind::kDecimal) {
    auto unscaled = parse_exact(token, node.field->type.scale);
    Int128 limit = 1;
    for (int i = 0; i < node.field->type.precision; ++i) limit *= 10;
    if (!unscaled || *unscaled >= limit || *unscaled <= -limit) return wrong_type(node, token);
    writer.set_decimal(row, *unscaled);
    return true;
  }
  Int128 number = 0;
  int64_t small = 0;
  auto parsed = std::from_chars(token.data(), token.data() + token.size(), small);
  if (parsed.ec == std::errc{} && parsed.ptr == token.data() + token.size() &&
      is_json_integer(token)) {
    number = small;
  } else {
    auto exact = parse_exact(token, 0);  // 1e3, 5.0, more than 64 bits
    if (!exact) return wrong_type(node, token);
    number = *exact;
  }
  switch (kind) {
    case Kind::kTinyInt:
      if (!fits<int8_t>(number)) break;
      return writer.set(row, static_cast<int8_t>(number)), true;
    case Kind::kSmallInt:
      if (!fits<int16_t>(number)) break;
      return writer.set(row, static_cast<int16_t>(number)), true;
    case Kind::kInteger:
      if (!fits<int32_t>(number)) break;
      return writer.set(row, static_cast<int32_t>(number)), true;
    case Kind::kBigInt:
      if (!fits<int64_t>(number)) break;
      return writer.set(row, static_cast<int64_t>(number)), true;
    default:
      return writer.set(row, number), true;
  }
  return fail(fmt::format("{} does not fit {}", token, schema::to_sql(node.field->type)));
}

bool JsonDecoder::Impl::string_content(ondemand::raw_json_string raw, std::string_view token,
                                       std::string_view& text) {
  if (token.size() < 2 || !token.ends_with('"')) return fail("bad JSON: a string does not end");
  text = token.substr(1, token.size() - 2);
  if (!has_escapes || text.find('\\') == std::string_view::npos) return true;
  uint8_t* to = arena.reserve(token.size() + simdjson::SIMDJSON_PADDING);
  if (auto code = parser.unescape(raw, to).get(text)) return fail(code);
  arena.take(text.size());
  return true;
}

bool JsonDecoder::Impl::decode_text(const FieldDecoder& node, ondemand::value& value,
                                    std::string_view token, VectorWriter& writer, size_t row) {
  uint8_t takes = node.field->type.json_values;
  std::string_view text = token;
  bool taken = false;
  switch (token.empty() ? '\0' : token[0]) {
    case '"': {
      taken = (takes & schema::kJsonString) != 0;
      ondemand::raw_json_string raw;
      if (auto code = value.get_raw_json_string().get(raw)) return fail(code);
      if (taken && !string_content(raw, token, text)) return false;
      break;
    }
    case '{':
    case '[': {
      taken = (takes & (token[0] == '{' ? schema::kJsonObject : schema::kJsonArray)) != 0;
      if (!taken) break;
      if (const char* problem = skip_value(value, depth)) return bad_json(problem);
      const char* end = nullptr;
      if (auto code = value.current_location().get(end)) return fail(code);
      text = trimmed({token.data(), end});
      break;
    }
    case 't':
    case 'f':
      taken = (takes & schema::kJsonBoolean) != 0 && (token == "true" || token == "false");
      break;
    default:
      taken = (takes & schema::kJsonNumber) != 0
                  ? is_json_number(token)
                  : (takes & schema::kJsonInteger) != 0 && is_json_integer(token);
  }
  if (!taken) return wrong_type(node, token);
  writer.set_text(row, text);
  return true;
}

bool JsonDecoder::Impl::decode_typed_string(const FieldDecoder& node, std::string_view text,
                                            VectorWriter& writer, size_t row) {
  switch (node.field->type.kind) {
    case Kind::kUuid: {
      auto uuid = parse_uuid(text);
      if (uuid) writer.set_uuid(row, *uuid);
      return uuid.has_value();
    }
    case Kind::kDate: {
      auto days = parse_json_date(text);
      if (days) writer.set(row, *days);
      return days.has_value();
    }
    case Kind::kTime: {
      auto micros = parse_time_of_day(text);
      if (micros) writer.set(row, *micros);
      return micros.has_value();
    }
    case Kind::kTimestamp: {
      auto micros = parse_json_timestamp(text);
      if (micros) writer.set(row, *micros);
      return micros.has_value();
    }
    default: {
      auto bytes = decode_base64(text);
      if (bytes) writer.set_text(row, arena.keep(*bytes));
      return bytes.has_value();
    }
  }
}

JsonDecoder::JsonDecoder(const schema::Columns& columns, UnknownFields unknown)
    : impl_(std::make_unique<Impl>(columns, unknown)) {}
JsonDecoder::~JsonDecoder() = default;
JsonDecoder::JsonDecoder(JsonDecoder&&) noexcept = default;

void JsonDecoder::begin(std::span<VectorWriter> columns) {
  impl_->columns = columns;
  impl_->arena.clear();
}

bool JsonDecoder::decode(std::string_view json, size_t row) {
  if (impl_->decode_document(json, row)) return true;
  if (impl_->error_text.starts_with('\x01')) impl_->error_text.erase(0, 1);
  return false;
}

const std::string& JsonDecoder::error() const {
  return impl_->error_text;
}

}  // namespace millrace::sql
