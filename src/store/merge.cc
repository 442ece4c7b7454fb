#include <rocksdb/compaction_filter.h>
#include <rocksdb/merge_operator.h>

#include "store/rocks.h"
#include "store/row.h"

namespace millrace::store {
namespace {

// Reconciles two packed rows, and leaves the result in `to`. False where one is no row.
class RowFolder {
 public:
  bool add(const rocksdb::Slice& bytes) {
    Row row;
    if (!row.parse(to_view(bytes))) return false;
    row_ = first_ ? std::move(row) : reconcile(row_, row);
    first_ = false;
    return true;
  }
  Row& row() { return row_; }

 private:
  bool first_ = true;
  Row row_;
};

class RowMerger : public rocksdb::MergeOperator {
 public:
  explicit RowMerger(io::Clock& clock) : clock_(clock) {}
  const char* Name() const override { return "millrace.row"; }

  // Called with all there is of a key, so what has expired can be forgotten here.
  bool FullMergeV2(const MergeOperationInput& in, MergeOperationOutput* out) const override {
    if (in.existing_value == nullptr && in.operand_list.size() == 1) {
      out->existing_operand = in.operand_list.front();
      return true;
    }
    RowFolder folder;
    if (in.existing_value != nullptr && !folder.add(*in.existing_value)) return false;
    for (const auto& operand : in.operand_list)
      if (!folder.add(operand)) return false;
    folder.row().forget_expired(seconds(clock_));
    out->new_value.clear();  // an iterator leaves the row before there
    folder.row().append_to(out->new_value);
    return true;
  }

  // Older writes of the key may be elsewhere: what has expired still hides them.
  bool PartialMergeMulti(const rocksdb::Slice& /*key*/, const std::deque<rocksdb::Slice>& operands,
                         std::string* value, rocksdb::Logger* /*logger*/) const override {
    RowFolder folder;
    for (const auto& operand : operands)
      if (!folder.add(operand)) return false;
    value->clear();
    folder.row().append_to(*value);
    return true;
  }

 private:
  io::Clock& clock_;
};

class ExpiryFilter : public rocksdb::CompactionFilter {
 public:
  explicit ExpiryFilter(io::Clock& clock) : clock_(clock) {}
  const char* Name() const override { return "millrace.expiry"; }

  // A kValue is the whole of its key's history; a merge operand is not, and stays as it is.
  Decision FilterV2(int /*level*/, const rocksdb::Slice& key, ValueType type,
                    const rocksdb::Slice& value, std::string* changed,
                    std::string* /*skip_until*/) const override {
    if (type != ValueType::kValue || value.empty() || value[0] == kPlainRow) return Decision::kKeep;
    if (key.starts_with(rocksdb::Slice("\0\0\0\0", 4))) return Decision::kKeep;
    Row row;
    if (!row.parse(to_view(value))) return Decision::kKeep;  // whoever reads it will say so
    size_t cells = row.cells.size();
    bool marker = row.marker.has_value();
    bool deletion = row.deletion.has_value();
    row.forget_expired(seconds(clock_));
    if (row.empty()) return Decision::kRemove;
    if (row.cells.size() == cells && row.marker.has_value() == marker &&
        row.deletion.has_value() == deletion)
      return Decision::kKeep;
    row.append_to(*changed);
    return Decision::kChangeValue;
  }

 private:
  io::Clock& clock_;
};

}  // namespace

std::shared_ptr<rocksdb::MergeOperator> make_row_merger(io::Clock& clock) {
  return std::make_shared<RowMerger>(clock);
}

std::shared_ptr<rocksdb::CompactionFilter> make_expiry_filter(io::Clock& clock) {
  return std::make_shared<ExpiryFilter>(clock);
}

}  // namespace millrace::store
