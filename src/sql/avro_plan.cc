#include "sql/avro_plan.h"

#include <algorithm>
#include <utility>

namespace millrace::sql {
namespace {

using schema::AvroKind;
using schema::AvroLogical;
using schema::AvroType;
using schema::Kind;

bool is_integer(Kind kind) {
  return kind >= Kind::kTinyInt && kind <= Kind::kHugeInt;
}

AvroStep step_of_number(const AvroType& from, Kind to) {
  switch (from.logical) {
    case AvroLogical::kDate:
      if (to == Kind::kDate) return AvroStep::kDate;
      break;
    case AvroLogical::kTimeMillis:
      if (to == Kind::kTime) return AvroStep::kTimeMillis;
      break;
    case AvroLogical::kTimeMicros:
      if (to == Kind::kTime) return AvroStep::kTimeMicros;
      break;
    case AvroLogical::kTimestampMillis:
      if (to == Kind::kTimestamp) return AvroStep::kTimestampMillis;
      break;
    case AvroLogical::kTimestampMicros:
      if (to == Kind::kTimestamp) return AvroStep::kTimestampMicros;
      break;
    default:
      break;
  }
  if (is_integer(to)) return AvroStep::kInteger;
  if (to == Kind::kFloat) return AvroStep::kIntegerToFloat;
  if (to == Kind::kDouble) return AvroStep::kIntegerToDouble;
  return to == Kind::kDecimal ? AvroStep::kIntegerToDecimal : AvroStep::kMismatch;
}

AvroStep step_of_bytes(const AvroType& from, Kind to) {
  if (from.logical == AvroLogical::kDecimal)
    return to == Kind::kDecimal || to == Kind::kHugeInt ? AvroStep::kDecimal : AvroStep::kMismatch;
  if (to == Kind::kUuid && from.kind == AvroKind::kString) return AvroStep::kUuidText;
  if (to == Kind::kUuid && from.logical == AvroLogical::kUuid) return AvroStep::kUuidBytes;
  if (to == Kind::kBlob) return AvroStep::kBytes;
  bool is_text = from.kind == AvroKind::kString || from.kind == AvroKind::kBytes;
  return to == Kind::kVarchar && is_text ? AvroStep::kText : AvroStep::kMismatch;
}

AvroStep step_of(const AvroType& from, const schema::Type& to) {
  auto only = [&](Kind kind, AvroStep step) {
    return to.kind == kind ? step : AvroStep::kMismatch;
  };
  switch (from.kind) {
    case AvroKind::kNull:
      return AvroStep::kNull;
    case AvroKind::kBoolean:
      return only(Kind::kBoolean, AvroStep::kBoolean);
    case AvroKind::kInt:
    case AvroKind::kLong:
      return step_of_number(from, to.kind);
    case AvroKind::kFloat:
      return to.kind == Kind::kDouble ? AvroStep::kFloatToDouble
                                      : only(Kind::kFloat, AvroStep::kFloat);
    case AvroKind::kDouble:
      return only(Kind::kDouble, AvroStep::kDouble);
    case AvroKind::kBytes:
    case AvroKind::kString:
    case AvroKind::kFixed:
      return step_of_bytes(from, to.kind);
    case AvroKind::kEnum:
      return only(Kind::kVarchar, AvroStep::kSymbol);
    case AvroKind::kArray:
      return only(Kind::kList, AvroStep::kArray);
    case AvroKind::kMap:
      return to.kind == Kind::kMap && to.children[0].type.kind == Kind::kVarchar
                 ? AvroStep::kMap
                 : AvroStep::kMismatch;
    case AvroKind::kRecord:
      return only(Kind::kStruct, AvroStep::kRecord);
    case AvroKind::kUnion:
      return AvroStep::kUnion;
  }
  std::unreachable();
}

// Ends where the columns do, however often a schema contains itself.
uint32_t add(AvroPlan& plan, uint32_t avro, const schema::Field& field) {
  const auto& from = plan.schema->types[avro];
  AvroPlan::Node node{.step = step_of(from, field.type), .avro = avro, .field = &field};
  switch (node.step) {
    case AvroStep::kUnion:
      for (uint32_t branch : from.children)
        node.parts.push_back({.node = add(plan, branch, field), .avro = branch});
      break;
    case AvroStep::kArray:
    case AvroStep::kMap:
      node.parts.push_back({.node = add(plan, from.children[0], field.type.children.back()),
                            .avro = from.children[0]});
      break;
    case AvroStep::kRecord: {
      const auto& columns = field.type.children;
      std::vector<bool> found(columns.size());
      for (size_t i = 0; i < from.children.size(); ++i) {
        AvroPlan::Part part{.avro = from.children[i]};
        auto column = std::ranges::find(columns, from.names[i], &schema::Field::name);
        if (column != columns.end()) {
          part.column = static_cast<uint32_t>(column - columns.begin());
          part.node = add(plan, part.avro, *column);
          found[part.column] = true;
        }
        node.parts.push_back(part);
      }
      for (uint32_t i = 0; i < columns.size(); ++i)
        if (!found[i]) node.missing.push_back(i);
      break;
    }
    default:
      break;
  }
  plan.nodes.push_back(std::move(node));
  return static_cast<uint32_t>(plan.nodes.size() - 1);
}

}  // namespace

AvroPlan plan_avro(std::shared_ptr<const schema::AvroSchema> schema, const schema::Field& record) {
  AvroPlan plan{.schema = std::move(schema), .nodes = {}};
  plan.root = add(plan, 0, record);
  return plan;
}

}  // namespace millrace::sql
