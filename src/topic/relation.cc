#include "topic/relation.h"

#include "sql/record_format.h"
#include "topic/reader.h"

namespace millrace::topic {
namespace {

class TopicScan : public sql::RelationScan {
 public:
  TopicScan(log::Partition& partition, schema::Columns columns,
            std::shared_ptr<const sql::AvroSchemas> avro, std::atomic<int64_t>& undecodable)
      : partition_(partition),
        columns_(std::move(columns)),
        decoder_(sql::make_decoder(columns_, std::move(avro))),
        undecodable_(undecodable),
        next_(partition.start_offset()),
        end_(partition.end_offset()) {}

  Result<size_t> fill(std::span<sql::VectorWriter> writers) override {
    decoder_->begin(writers);
    size_t row = 0;
    while (row == 0) {
      if (at_ == records_.size()) {
        if (next_ >= end_) return 0;
        records_ = MR_TRY(reader_.look(partition_, next_));
        at_ = 0;
        if (records_.empty()) return 0;
        next_ = records_.back().offset + 1;
      }
      // A chunk's texts lie in the reader's buffer, so a chunk ends where the buffer does.
      while (at_ < records_.size() && row < sql::kChunkRows) {
        const auto& record = records_[at_++];
        if (record.offset >= end_ || !record.value) continue;
        if (decoder_->decode(*record.value, row))
          ++row;
        else
          ++undecodable_;
      }
    }
    return row;
  }

 private:
  log::Partition& partition_;
  schema::Columns columns_;
  std::unique_ptr<sql::RecordDecoder> decoder_;
  std::atomic<int64_t>& undecodable_;
  Reader reader_;
  std::span<const record::RecordView> records_;
  size_t at_ = 0;
  Offset next_;
  Offset end_;
};

}  // namespace

TopicRelation::TopicRelation(log::Topic& topic, TopicDefinition definition)
    : topic_(topic), definition_(std::move(definition)) {}

size_t TopicRelation::part_count() const {
  return static_cast<size_t>(topic_.partition_count());
}

Result<std::unique_ptr<sql::RelationScan>> TopicRelation::open(std::span<const uint32_t> columns,
                                                               size_t part) const {
  schema::Columns wanted;
  for (uint32_t column : columns) wanted.push_back(definition_.columns[column]);
  return std::make_unique<TopicScan>(topic_.partition(PartitionId(static_cast<int32_t>(part))),
                                     std::move(wanted), definition_.avro, undecodable_);
}

}  // namespace millrace::topic
