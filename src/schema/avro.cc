#include "schema/avro.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/limits.h"
#include "base/text.h"

namespace millrace::schema {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array<std::string_view, 14> kKindNames = {
    "null",   "boolean", "int",  "long",  "float", "double", "bytes",
    "string", "fixed",   "enum", "array", "map",   "record", "union"};

struct LogicalName {
  std::string_view name;
  AvroLogical logical;
  std::array<AvroKind, 2> of;
};
constexpr std::array kLogicalNames = {
    LogicalName{"decimal", AvroLogical::kDecimal, {AvroKind::kBytes, AvroKind::kFixed}},
    LogicalName{"uuid", AvroLogical::kUuid, {AvroKind::kString, AvroKind::kFixed}},
    LogicalName{"date", AvroLogical::kDate, {AvroKind::kInt, AvroKind::kInt}},
    LogicalName{"time-millis", AvroLogical::kTimeMillis, {AvroKind::kInt, AvroKind::kInt}},
    LogicalName{"time-micros", AvroLogical::kTimeMicros, {AvroKind::kLong, AvroKind::kLong}},
    LogicalName{
        "timestamp-millis", AvroLogical::kTimestampMillis, {AvroKind::kLong, AvroKind::kLong}},
    LogicalName{
        "timestamp-micros", AvroLogical::kTimestampMicros, {AvroKind::kLong, AvroKind::kLong}},
    LogicalName{"local-timestamp-millis",
                AvroLogical::kTimestampMillis,
                {AvroKind::kLong, AvroKind::kLong}},
    LogicalName{"local-timestamp-micros",
                AvroLogical::kTimestampMicros,
                {AvroKind::kLong, AvroKind::kLong}},
};

class Parser {
 public:
  Result<AvroSchema> parse(const json& root) {
    MR_TRY(add(root, "", "the schema", 0));
    return std::move(schema_);
  }

 private:
  using Position = Result<uint32_t>;

  static std::unexpected<Error> bad(std::string_view where, std::string_view what) {
    return fail(ErrorCode::kInvalid, "{} {}", where, what);
  }
  static std::string text_of(const json& node, const char* key) {
    auto found = node.find(key);
    return found != node.end() && found->is_string() ? found->get<std::string>() : "";
  }

  Position add_type(AvroType type) {
    if (schema_.types.size() > limits::kAvroTypesMax)
      return fail(ErrorCode::kLimit, "the schema has more than {} types", limits::kAvroTypesMax);
    schema_.types.push_back(std::move(type));
    return static_cast<uint32_t>(schema_.types.size() - 1);
  }

  // `space`: the namespace around.
  Position add(const json& node, const std::string& space, const std::string& where, int depth) {
    if (depth > static_cast<int>(limits::kJsonDepthMax)) return bad(where, "is nested too deep");
    if (node.is_string()) return add_named(node.get<std::string>(), space, where);
    if (node.is_array()) return add_union(node, space, where, depth);
    if (!node.is_object()) return bad(where, "is no type");
    auto type = node.find("type");
    if (type == node.end()) return bad(where, "has no 'type'");
    if (!type->is_string()) return add(*type, space, where, depth + 1);
    auto name = type->get<std::string>();
    if (name == "record" || name == "error") return add_record(node, space, where, depth);
    if (name == "enum") return add_enum(node, space, where);
    if (name == "fixed") return add_fixed(node, space, where);
    if (name == "array" || name == "map") return add_items(node, name, space, where, depth);
    auto at = MR_TRY(add_named(name, space, where));
    read_logical(node, schema_.types[at]);
    return at;
  }

  Position add_named(const std::string& name, const std::string& space, const std::string& where) {
    auto kind = std::ranges::find(kKindNames.begin(), kKindNames.begin() + 8, name);
    if (kind != kKindNames.begin() + 8)
      return add_type({.kind = static_cast<AvroKind>(kind - kKindNames.begin())});
    auto found =
        named_.find(name.find('.') == name.npos && !space.empty() ? space + "." + name : name);
    if (found == named_.end()) found = named_.find(name);
    if (found == named_.end())
      return bad(where, fmt::format("is of type '{}', which is not known", excerpt(name, 60)));
    return found->second;
  }

  Position add_union(const json& node, const std::string& space, const std::string& where,
                     int depth) {
    auto at = MR_TRY(add_type({.kind = AvroKind::kUnion}));
    if (node.empty()) return bad(where, "is a union of nothing");
    std::vector<uint32_t> children;
    for (const auto& branch : node)
      children.push_back(MR_TRY(add(branch, space, where, depth + 1)));
    schema_.types[at].children = std::move(children);
    return at;
  }

  // Adds a type that has a name; its namespace goes to `space`.
  Position add_new(const json& node, AvroType type, std::string& space, const std::string& where) {
    auto name = text_of(node, "name");
    if (name.empty()) return bad(where, "has no name");
    if (size_t dot = name.rfind('.'); dot != name.npos) {
      space = name.substr(0, dot);
    } else {
      if (node.contains("namespace")) space = text_of(node, "namespace");
      if (!space.empty()) name = space + "." + name;
    }
    auto at = MR_TRY(add_type(std::move(type)));
    if (!named_.emplace(name, at).second)
      return bad(where, fmt::format("has the name '{}' a second time", excerpt(name, 60)));
    return at;
  }

  Position add_record(const json& node, std::string space, const std::string& where, int depth) {
    auto at = MR_TRY(add_new(node, {.kind = AvroKind::kRecord}, space, where));
    auto fields = node.find("fields");
    if (fields == node.end() || !fields->is_array()) return bad(where, "has no list of fields");
    std::vector<uint32_t> children;
    std::vector<std::string> names;
    for (const auto& field : *fields) {
      auto name = field.is_object() ? text_of(field, "name") : "";
      if (name.empty() || !field.contains("type"))
        return bad(where, "has a field without a name or a type");
      auto column = text_of(field, std::string(kAvroColumn).c_str());
      names.push_back(column.empty() ? name : column);
      children.push_back(MR_TRY(
          add(field["type"], space, fmt::format("field '{}'", excerpt(name, 60)), depth + 1)));
    }
    schema_.types[at].children = std::move(children);
    schema_.types[at].names = std::move(names);
    return at;
  }

  Position add_enum(const json& node, std::string space, const std::string& where) {
    AvroType type{.kind = AvroKind::kEnum};
    auto symbols = node.find("symbols");
    if (symbols == node.end() || !symbols->is_array()) return bad(where, "has no list of symbols");
    for (const auto& symbol : *symbols) {
      if (!symbol.is_string()) return bad(where, "has a symbol that is no text");
      type.names.push_back(symbol.get<std::string>());
    }
    return add_new(node, std::move(type), space, where);
  }

  Position add_fixed(const json& node, std::string space, const std::string& where) {
    auto size = node.find("size");
    if (size == node.end() || !size->is_number_unsigned() ||
        size->get<uint64_t>() > limits::kRecordBytesMax)
      return bad(where, "has no size that is a number of bytes");
    AvroType type{.kind = AvroKind::kFixed, .size = size->get<uint32_t>()};
    read_logical(node, type);
    return add_new(node, std::move(type), space, where);
  }

  Position add_items(const json& node, const std::string& name, const std::string& space,
                     const std::string& where, int depth) {
    bool is_map = name == "map";
    auto items = node.find(is_map ? "values" : "items");
    if (items == node.end()) return bad(where, "does not say what it has inside");
    auto at = MR_TRY(add_type({.kind = is_map ? AvroKind::kMap : AvroKind::kArray}));
    auto child = MR_TRY(add(*items, space, where, depth + 1));
    schema_.types[at].children = {child};
    return at;
  }

  static void read_logical(const json& node, AvroType& type) {
    auto name = text_of(node, "logicalType");
    for (const auto& known : kLogicalNames) {
      if (known.name != name || std::ranges::find(known.of, type.kind) == known.of.end()) continue;
      if (known.logical == AvroLogical::kUuid && type.kind == AvroKind::kFixed && type.size != 16)
        continue;
      type.logical = known.logical;
    }
    auto scale = node.find("scale");
    if (type.logical != AvroLogical::kDecimal || scale == node.end()) return;
    if (scale->is_number_unsigned() && scale->get<uint64_t>() <= 1'000)
      type.scale = scale->get<int32_t>();
    else
      type.logical = AvroLogical::kNone;
  }

  AvroSchema schema_;
  std::map<std::string, uint32_t> named_;
};

std::string fit_name(std::string_view name) {
  std::string fit;
  for (char c : name) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    bool digit = c >= '0' && c <= '9';
    if (digit && fit.empty()) fit += '_';
    fit += letter || digit ? c : '_';
  }
  return fit.empty() ? "_" : fit;
}

// `name`, or with a number behind it the first that `taken` has not.
std::string unlike(std::string name, std::set<std::string>& taken) {
  std::string free = name;
  for (int i = 2; !taken.insert(free).second; ++i) free = fmt::format("{}_{}", name, i);
  return free;
}

class Maker {
 public:
  Result<ordered_json> record(const Columns& columns, std::string_view name) {
    std::string own = unlike(fit_name(name), records_);
    auto fields = ordered_json::array();
    std::set<std::string> taken;
    for (const auto& column : columns) {
      std::string field_name = unlike(fit_name(column.name), taken);
      ordered_json field = {{"name", field_name}};
      field["type"] =
          MR_TRY_IN(with_null(column.type, own + "_" + field_name), "column " + column.name);
      field["default"] = nullptr;
      if (field_name != column.name) field[std::string(kAvroColumn)] = column.name;
      fields.push_back(std::move(field));
    }
    return ordered_json{
        {"type", "record"}, {"name", std::move(own)}, {"fields", std::move(fields)}};
  }

 private:
  Result<ordered_json> with_null(const Type& type, const std::string& name) {
    auto of = MR_TRY(plain(type, name));
    return ordered_json::array({"null", std::move(of)});
  }

  static ordered_json logical(const char* type, const char* name) {
    return {{"type", type}, {"logicalType", name}};
  }
  static ordered_json decimal(int precision, int scale) {
    auto type = logical("bytes", "decimal");
    type["precision"] = precision;
    type["scale"] = scale;
    return type;
  }

  Result<ordered_json> plain(const Type& type, const std::string& name) {
    switch (type.kind) {
      case Kind::kBoolean:
        return "boolean";
      case Kind::kTinyInt:
      case Kind::kSmallInt:
      case Kind::kInteger:
        return "int";
      case Kind::kBigInt:
        return "long";
      case Kind::kHugeInt:
        return decimal(39, 0);
      case Kind::kFloat:
        return "float";
      case Kind::kDouble:
        return "double";
      case Kind::kDecimal:
        return decimal(type.precision, type.scale);
      case Kind::kVarchar:
        return "string";
      case Kind::kBlob:
        return "bytes";
      case Kind::kUuid:
        return logical("string", "uuid");
      case Kind::kDate:
        return logical("int", "date");
      case Kind::kTime:
        return logical("long", "time-micros");
      case Kind::kTimestamp:
        return logical("long", "timestamp-micros");
      case Kind::kList: {
        auto items = MR_TRY(with_null(type.children[0].type, name));
        return ordered_json{{"type", "array"}, {"items", std::move(items)}};
      }
      case Kind::kMap: {
        if (type.children[0].type.kind != Kind::kVarchar)
          return fail(ErrorCode::kUnsupported, "{}: Avro's maps have text as keys; cast them",
                      to_sql(type));
        auto values = MR_TRY(with_null(type.children[1].type, name));
        return ordered_json{{"type", "map"}, {"values", std::move(values)}};
      }
      case Kind::kStruct:
        return record(type.children, name);
    }
    std::unreachable();
  }

  std::set<std::string> records_;
};

}  // namespace

std::string_view to_string(AvroKind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}

Result<AvroSchema> parse_avro_schema(std::string_view text) {
  if (text.size() > limits::kAvroSchemaBytesMax)
    return fail(ErrorCode::kLimit, "an Avro schema of {}; at most {} are read",
                format_bytes(text.size()), format_bytes(limits::kAvroSchemaBytesMax));
  auto parsed = json::parse(text, nullptr, false);
  if (parsed.is_discarded()) return fail(ErrorCode::kInvalid, "an Avro schema that is no JSON");
  return Parser().parse(parsed);
}

Result<std::string> to_avro_schema(const Columns& columns, std::string_view name) {
  auto record = MR_TRY(Maker().record(columns, name));
  return record.dump(2) + "\n";
}

}  // namespace millrace::schema
