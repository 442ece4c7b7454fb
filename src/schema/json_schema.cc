#include "schema/json_schema.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/limits.h"
#include "base/text.h"
#include "schema/json_pointer.h"

namespace millrace::schema {
namespace {

using Json = nlohmann::ordered_json;

struct TypeName {
  const char* name;
  uint8_t values;  // JsonValues; 0 for null
};
constexpr std::array kTypeNames = {
    TypeName{"string", kJsonString},
    TypeName{"integer", kJsonInteger},
    TypeName{"number", kJsonNumber},
    TypeName{"boolean", kJsonBoolean},
    TypeName{"object", kJsonObject},
    TypeName{"array", kJsonArray},
    TypeName{"null", 0},
};

// What decides a type. Beside a $ref these would have to be merged with what it points to.
constexpr std::array kTypeKeywords = {"type",  "format", "properties",     "additionalProperties",
                                      "items", "enum",   "const",          "anyOf",
                                      "oneOf", "allOf",  "contentEncoding"};

// A type, and whether null is taken.
struct Converted {
  Type type;
  bool nullable = false;
};

// The JSON values that a column of this type takes.
uint8_t values_of(const Type& type) {
  switch (type.kind) {
    case Kind::kBoolean:
      return kJsonBoolean;
    case Kind::kTinyInt:
    case Kind::kSmallInt:
    case Kind::kInteger:
    case Kind::kBigInt:
    case Kind::kHugeInt:
      return kJsonInteger;
    case Kind::kFloat:
    case Kind::kDouble:
    case Kind::kDecimal:
      return kJsonNumber;
    case Kind::kVarchar:
      return type.json_values;
    case Kind::kBlob:
    case Kind::kUuid:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kTimestamp:
      return kJsonString;
    case Kind::kList:
      return kJsonArray;
    case Kind::kMap:
    case Kind::kStruct:
      return kJsonObject;
  }
  return kJsonAny;
}

Type of_kind(Kind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type varchar_of(uint8_t values) {
  Type type;
  type.json_values = values;
  return type;
}

std::string format_of(const Json& node) {
  auto format = node.find("format");
  return format != node.end() && format->is_string() ? format->get<std::string>() : "";
}

Type string_type(const Json& node) {
  auto encoding = node.find("contentEncoding");
  if (encoding != node.end() && *encoding == "base64") return of_kind(Kind::kBlob);
  std::string format = format_of(node);
  if (format == "uuid") return of_kind(Kind::kUuid);
  if (format == "date-time") return of_kind(Kind::kTimestamp);
  if (format == "date") return of_kind(Kind::kDate);
  if (format == "time") return of_kind(Kind::kTime);
  return varchar_of(kJsonString);
}

bool beyond_64_bits(const Json& bound) {
  if (bound.is_number_unsigned()) return bound.get<uint64_t>() > uint64_t{INT64_MAX};
  if (!bound.is_number_float()) return false;
  auto value = bound.get<double>();
  return value >= 0x1p63 || value < -0x1p63;
}

Type integer_type(const Json& node) {
  std::string format = format_of(node);
  if (format == "int8") return of_kind(Kind::kTinyInt);
  if (format == "int16") return of_kind(Kind::kSmallInt);
  if (format == "int32") return of_kind(Kind::kInteger);
  if (format == "int64") return of_kind(Kind::kBigInt);
  if (format == "int128") return of_kind(Kind::kHugeInt);
  for (const char* keyword : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}) {
    auto bound = node.find(keyword);
    if (bound != node.end() && beyond_64_bits(*bound)) return of_kind(Kind::kHugeInt);
  }
  return of_kind(Kind::kBigInt);
}

Type number_type(const Json& node) {
  auto multiple = node.find("multipleOf");
  if (multiple != node.end() && multiple->is_number()) {
    auto step = multiple->get<double>();
    for (uint8_t scale = 0; scale < 38; ++scale) {
      // Both are the double nearest to a decimal text, so equal means the same power of ten.
      if (step != std::stod(fmt::format("1e-{}", scale))) continue;
      Type decimal = of_kind(Kind::kDecimal);
      decimal.precision = 38;
      decimal.scale = scale;
      return decimal;
    }
  }
  if (format_of(node) == "float") return of_kind(Kind::kFloat);
  return of_kind(Kind::kDouble);
}

// Walks one schema document. Pointers name places in it: "#/properties/id".
class Converter {
 public:
  explicit Converter(const Json& document) : document_(document) {}

  Result<Columns> columns() {
    auto top = MR_TRY(convert(document_, "#", 0));
    if (top.type.kind != Kind::kStruct)
      return fail(ErrorCode::kInvalid,
                  "#: the schema of an item is that of an object with \"properties\"; this is {}",
                  to_sql(top.type));
    if (top.nullable) return fail(ErrorCode::kInvalid, "#/type: an item cannot be null");
    return std::move(top.type.children);
  }

 private:
  Result<Converted> convert(const Json& node, const std::string& at, size_t depth);
  Result<Converted> follow(const Json& node, const std::string& at, size_t depth);
  Result<Converted> one_of(const Json& branches, const std::string& at, size_t depth);
  Result<Converted> by_type(const Json& node, const std::string& at, size_t depth);
  Result<Converted> by_values(const Json& values, const std::string& at);
  Result<Type> object_type(const Json& node, const std::string& at, size_t depth);
  Result<Type> array_type(const Json& node, const std::string& at, size_t depth);
  Result<> mark_required(const Json& node, const std::string& at, Columns& fields);
  Result<Field> field(std::string name, const Json& node, const std::string& at, size_t depth);

  const Json& document_;
  std::vector<std::string> following_;  // the $refs that led here, outermost first
  size_t fields_ = 0;                   // made so far, at every depth
};

Result<Converted> Converter::convert(const Json& node, const std::string& at, size_t depth) {
  if (depth > limits::kJsonDepthMax)
    return fail(ErrorCode::kLimit, "{}: more than {} schemas inside each other", at,
                limits::kJsonDepthMax);
  if (node.is_boolean() && node.get<bool>()) return Converted{varchar_of(kJsonAny), true};
  if (node.is_boolean())
    return fail(ErrorCode::kUnsupported, "{}: false takes no value, so it has no column type", at);
  if (!node.is_object())
    return fail(ErrorCode::kInvalid, "{}: a schema is an object or a boolean, not {}", at,
                excerpt(node.dump(), 60));

  if (node.contains("$ref")) return follow(node, at, depth);
  if (node.contains("type")) return by_type(node, at, depth);
  for (const char* keyword : {"anyOf", "oneOf"})
    if (node.contains(keyword)) return one_of(node[keyword], at + "/" + keyword, depth);
  if (node.contains("allOf")) {
    const auto& all = node["allOf"];
    if (all.is_array() && all.size() == 1) return convert(all[0], at + "/allOf/0", depth + 1);
    return fail(ErrorCode::kUnsupported,
                "{}/allOf: schemas are not merged here; write them as one schema", at);
  }
  if (node.contains("const")) return by_values(Json::array({node["const"]}), at + "/const");
  if (node.contains("enum")) return by_values(node["enum"], at + "/enum");
  // Strictly, a schema without "type" takes anything; with these it is meant to describe one kind.
  if (node.contains("properties")) return Converted{MR_TRY(object_type(node, at, depth))};
  if (node.contains("items")) return Converted{MR_TRY(array_type(node, at, depth))};
  return Converted{varchar_of(kJsonAny), true};
}

Result<Converted> Converter::follow(const Json& node, const std::string& at, size_t depth) {
  const auto& ref = node["$ref"];
  if (!ref.is_string())
    return fail(ErrorCode::kInvalid, "{}/$ref: a reference is a string, not {}", at,
                excerpt(ref.dump(), 60));
  for (const char* keyword : kTypeKeywords)
    if (node.contains(keyword))
      return fail(ErrorCode::kUnsupported,
                  "{}: \"{}\" beside \"$ref\" would have to be merged with what the reference "
                  "names; write it there",
                  at, keyword);
  auto target = ref.get<std::string>();
  if (target != "#" && !target.starts_with("#/"))
    return fail(ErrorCode::kUnsupported,
                "{}/$ref: '{}' is not a place in this document, such as '#/$defs/name'", at,
                excerpt(target, 100));
  if (target == "#" || std::ranges::find(following_, target) != following_.end())
    return fail(ErrorCode::kUnsupported,
                "{}/$ref: '{}' contains itself, and a column's type has an end; say "
                "{{\"type\": \"object\"}} here to keep that part as JSON text",
                at, excerpt(target, 100));
  const Json* found = find_pointer(document_, std::string_view(target).substr(1));
  if (found == nullptr)
    return fail(ErrorCode::kInvalid, "{}/$ref: there is nothing at '{}'", at, excerpt(target, 100));
  following_.push_back(target);
  auto converted = MR_TRY(convert(*found, target, depth + 1));
  following_.pop_back();
  return converted;
}

Result<Converted> Converter::one_of(const Json& branches, const std::string& at, size_t depth) {
  if (!branches.is_array() || branches.empty())
    return fail(ErrorCode::kInvalid, "{}: expected a list of schemas", at);
  std::optional<Type> type;
  bool nullable = false;
  for (size_t i = 0; i < branches.size(); ++i) {
    if (branches[i].is_object() && branches[i].value("type", Json()) == "null") {
      nullable = true;
      continue;
    }
    auto branch = MR_TRY(convert(branches[i], fmt::format("{}/{}", at, i), depth + 1));
    nullable |= branch.nullable;
    if (!type)
      type = branch.type;
    else if (*type != branch.type)
      type = varchar_of(static_cast<uint8_t>(values_of(*type) | values_of(branch.type)));
  }
  if (!type) return fail(ErrorCode::kUnsupported, "{}: null alone has no column type", at);
  return Converted{*std::move(type), nullable};
}

Result<Converted> Converter::by_type(const Json& node, const std::string& at, size_t depth) {
  const auto& type = node["type"];
  const auto names = type.is_array() ? type : Json::array({type});
  auto nullable = node.find("nullable");  // OpenAPI 3.0's way to say it
  Converted converted;
  converted.nullable = nullable != node.end() && *nullable == true;
  uint8_t values = 0;
  for (const auto& name : names) {
    auto known = std::ranges::find_if(kTypeNames, [&](const auto& t) { return name == t.name; });
    if (known == kTypeNames.end()) {
      std::vector<std::string> candidates;
      candidates.reserve(kTypeNames.size());
      for (const auto& t : kTypeNames) candidates.emplace_back(t.name);
      auto meant = name.is_string() ? did_you_mean(name.get<std::string>(), candidates) : "";
      return fail(ErrorCode::kInvalid, "{}/type: {} is not a JSON type{}", at,
                  name.is_string() ? fmt::format("'{}'", excerpt(name.get<std::string>(), 60))
                                   : excerpt(name.dump(), 60),
                  meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
    }
    values = static_cast<uint8_t>(values | known->values);
    converted.nullable |= known->values == 0;
  }
  if (values == (kJsonInteger | kJsonNumber)) values = kJsonNumber;
  switch (values) {
    case 0:
      return fail(ErrorCode::kUnsupported,
                  "{}/type: null alone has no column type; leave the property out", at);
    case kJsonString:
      converted.type = string_type(node);
      break;
    case kJsonInteger:
      converted.type = integer_type(node);
      break;
    case kJsonNumber:
      converted.type = number_type(node);
      break;
    case kJsonBoolean:
      converted.type = of_kind(Kind::kBoolean);
      break;
    case kJsonObject:
      converted.type = MR_TRY(object_type(node, at, depth));
      break;
    case kJsonArray:
      converted.type = MR_TRY(array_type(node, at, depth));
      break;
    default:
      converted.type = varchar_of(values);
  }
  return converted;
}

Result<Converted> Converter::by_values(const Json& values, const std::string& at) {
  if (!values.is_array() || values.empty())
    return fail(ErrorCode::kInvalid, "{}: expected a list of values", at);
  Converted converted;
  uint8_t kinds = 0;
  bool wide = false;
  for (const auto& value : values) {
    if (value.is_null())
      converted.nullable = true;
    else if (value.is_string())
      kinds |= kJsonString;
    else if (value.is_boolean())
      kinds |= kJsonBoolean;
    else if (value.is_number_integer())
      kinds |= kJsonInteger;
    else if (value.is_number())
      kinds |= kJsonNumber;
    else
      kinds |= value.is_object() ? kJsonObject : kJsonArray;
    wide |= beyond_64_bits(value);
  }
  if (kinds == 0) return fail(ErrorCode::kUnsupported, "{}: null alone has no column type", at);
  if (kinds == kJsonInteger)
    converted.type.kind = wide ? Kind::kHugeInt : Kind::kBigInt;
  else if (kinds == kJsonNumber || kinds == (kJsonInteger | kJsonNumber))
    converted.type.kind = Kind::kDouble;
  else if (kinds == kJsonBoolean)
    converted.type.kind = Kind::kBoolean;
  else
    converted.type = varchar_of(kinds);
  return converted;
}

Result<Type> Converter::object_type(const Json& node, const std::string& at, size_t depth) {
  auto properties = node.find("properties");
  if (properties != node.end() && !properties->is_object())
    return fail(ErrorCode::kInvalid, "{}/properties: expected an object", at);
  if (properties == node.end() || properties->empty()) {
    auto others = node.find("additionalProperties");
    if (others == node.end() || !others->is_object() || others->empty())
      return varchar_of(kJsonObject);
    Type map = of_kind(Kind::kMap);
    map.children.push_back({.name = "key", .type = {}, .nullable = false});
    map.children.push_back(
        MR_TRY(field("value", *others, at + "/additionalProperties", depth + 1)));
    return map;
  }

  Type type = of_kind(Kind::kStruct);
  std::set<std::string> lower_names;
  for (const auto& [name, property] : properties->items()) {
    std::string place = at + "/properties/" + pointer_token(name);
    if (name.empty()) return fail(ErrorCode::kInvalid, "{}: a column needs a name", place);
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (!lower_names.insert(lower).second)
      return fail(ErrorCode::kUnsupported,
                  "{}: '{}' differs from another property only by upper and lower case, which SQL "
                  "does not tell apart",
                  place, name);
    type.children.push_back(MR_TRY(field(name, property, place, depth + 1)));
  }
  MR_TRY(mark_required(node, at, type.children));
  return type;
}

Result<> Converter::mark_required(const Json& node, const std::string& at, Columns& fields) {
  auto required = node.find("required");
  if (required == node.end()) return {};
  if (!required->is_array())
    return fail(ErrorCode::kInvalid, "{}/required: expected a list of property names", at);
  for (const auto& name : *required) {
    auto found = std::ranges::find_if(fields, [&](const Field& f) { return name == f.name; });
    if (found != fields.end()) {
      found->required = true;
      continue;
    }
    std::vector<std::string> candidates;
    for (const auto& known : fields) candidates.push_back(known.name);
    auto meant = name.is_string() ? did_you_mean(name.get<std::string>(), candidates) : "";
    return fail(ErrorCode::kInvalid, "{}/required: {} is not among the properties{}", at,
                excerpt(name.dump(), 60),
                meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
  }
  return {};
}

Result<Type> Converter::array_type(const Json& node, const std::string& at, size_t depth) {
  auto items = node.find("items");
  // A list of schemas, or false, goes with a tuple, whose elements have different types.
  if (items == node.end() || items->is_array() || *items == false) return varchar_of(kJsonArray);
  Type list = of_kind(Kind::kList);
  list.children.push_back(MR_TRY(field("element", *items, at + "/items", depth + 1)));
  return list;
}

Result<Field> Converter::field(std::string name, const Json& node, const std::string& at,
                               size_t depth) {
  // References can make a small document name very many fields.
  if (++fields_ > limits::kColumnsMax)
    return fail(ErrorCode::kLimit, "{}: more than {} columns and fields", at, limits::kColumnsMax);
  auto converted = MR_TRY(convert(node, at, depth));
  return Field{
      .name = std::move(name), .type = std::move(converted.type), .nullable = converted.nullable};
}

}  // namespace

Result<Columns> columns_from_json_schema(std::string_view text) {
  try {
    auto document = Json::parse(text);
    return Converter(document).columns();
  } catch (const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 3, column 5: syntax error while …"
    std::string_view what = error.what();
    if (auto at = what.find("line "); at != what.npos) what.remove_prefix(at);
    return fail(ErrorCode::kInvalid, "not JSON: {}", excerpt(what, 300));
  }
}

}  // namespace millrace::schema
