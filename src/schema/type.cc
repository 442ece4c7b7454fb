#include "schema/type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

namespace millrace::schema {
namespace {

struct KindName {
  Kind kind;
  const char* json;
  const char* sql;
};
constexpr std::array kKindNames = {
    KindName{Kind::kBoolean, "boolean", "BOOLEAN"},
    KindName{Kind::kTinyInt, "tinyint", "TINYINT"},
    KindName{Kind::kSmallInt, "smallint", "SMALLINT"},
    KindName{Kind::kInteger, "integer", "INTEGER"},
    KindName{Kind::kBigInt, "bigint", "BIGINT"},
    KindName{Kind::kHugeInt, "hugeint", "HUGEINT"},
    KindName{Kind::kFloat, "float", "FLOAT"},
    KindName{Kind::kDouble, "double", "DOUBLE"},
    KindName{Kind::kDecimal, "decimal", "DECIMAL"},
    KindName{Kind::kVarchar, "varchar", "VARCHAR"},
    KindName{Kind::kBlob, "blob", "BLOB"},
    KindName{Kind::kUuid, "uuid", "UUID"},
    KindName{Kind::kDate, "date", "DATE"},
    KindName{Kind::kTime, "time", "TIME"},
    KindName{Kind::kTimestamp, "timestamp", "TIMESTAMP"},
    KindName{Kind::kList, "list", ""},
    KindName{Kind::kMap, "map", ""},
    KindName{Kind::kStruct, "struct", ""},
};

const KindName& names_of(Kind kind) {
  return *std::ranges::find(kKindNames, kind, &KindName::kind);
}

std::string quoted_if_needed(const std::string& name) {
  bool plain = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
               std::ranges::all_of(name, [](unsigned char c) {
                 return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
               });
  if (plain) return name;
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

Result<Field> field_from_json(const nlohmann::json& json) {
  auto bad = [&](std::string_view why) {
    return fail(ErrorCode::kCorrupt, "catalog column {}: {}", json.dump(), why);
  };
  if (!json.is_object() || !json.contains("type")) return bad("no type");
  Field field;
  field.name = json.value("name", "");
  field.nullable = json.value("nullable", true);
  field.required = json.value("required", false);
  const auto kind = json.value("type", "");
  const auto* found =
      std::ranges::find_if(kKindNames, [&](const KindName& n) { return kind == n.json; });
  if (found == kKindNames.end()) return bad("unknown type");
  field.type.kind = found->kind;
  field.type.precision = json.value("precision", uint8_t{0});
  field.type.scale = json.value("scale", uint8_t{0});
  field.type.json_values = json.value("json", uint8_t{kJsonString});
  if (json.contains("of")) field.type.children = MR_TRY(columns_from_json(json["of"]));
  size_t children = field.type.children.size();
  if (field.type.kind == Kind::kList && children != 1) return bad("a list has one element type");
  if (field.type.kind == Kind::kMap && children != 2) return bad("a map has a key and a value");
  return field;
}

}  // namespace

bool operator==(const Type&, const Type&) = default;
bool operator==(const Field&, const Field&) = default;

std::string to_sql(const Type& type) {
  switch (type.kind) {
    case Kind::kDecimal:
      return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    case Kind::kList:
      return to_sql(type.children[0].type) + "[]";
    case Kind::kMap:
      return fmt::format("MAP({}, {})", to_sql(type.children[0].type),
                         to_sql(type.children[1].type));
    case Kind::kStruct: {
      std::string fields;
      for (const auto& field : type.children) {
        if (!fields.empty()) fields += ", ";
        fields += fmt::format("{} {}", quoted_if_needed(field.name), to_sql(field.type));
      }
      return fmt::format("STRUCT({})", fields);
    }
    default:
      return names_of(type.kind).sql;
  }
}

nlohmann::json to_json(const Columns& columns) {
  auto array = nlohmann::json::array();
  for (const auto& column : columns) {
    nlohmann::json json = {{"name", column.name}, {"type", names_of(column.type.kind).json}};
    if (!column.nullable) json["nullable"] = false;
    if (column.required) json["required"] = true;
    if (column.type.kind == Kind::kDecimal) {
      json["precision"] = column.type.precision;
      json["scale"] = column.type.scale;
    }
    if (column.type.json_values != kJsonString) json["json"] = column.type.json_values;
    if (!column.type.children.empty()) json["of"] = to_json(column.type.children);
    array.push_back(std::move(json));
  }
  return array;
}

Result<Columns> columns_from_json(const nlohmann::json& json) {
  if (!json.is_array())
    return fail(ErrorCode::kCorrupt, "catalog columns are not an array: {}", json.dump());
  try {
    Columns columns;
    for (const auto& column : json) columns.push_back(MR_TRY(field_from_json(column)));
    return columns;
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::kCorrupt, "catalog columns {}: {}", json.dump(), error.what());
  }
}

bool same_sql_type(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.precision != b.precision || a.scale != b.scale ||
      a.children.size() != b.children.size())
    return false;
  for (size_t i = 0; i < a.children.size(); ++i) {
    if (a.kind == Kind::kStruct && a.children[i].name != b.children[i].name) return false;
    if (!same_sql_type(a.children[i].type, b.children[i].type)) return false;
  }
  return true;
}

}  // namespace millrace::schema
