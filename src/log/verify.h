// Reading all files of a partition to find what is damaged. It needs no open Log: where one is
// damaged it may be that it cannot be opened.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "base/uuid.h"
#include "io/disk.h"
#include "record/record.h"

namespace millrace::log {

// The topics that opening a log in the folder `path` would open, by name; none where there is no
// such folder.
Result<std::vector<std::string>> topic_names(io::Disk& disk, const std::string& path);

// What a topic's own file says of it.
struct TopicFacts {
  Uuid id;
  int32_t partitions = 0;
  std::string metadata;
};
// Errors: kCorrupt, kUnsupported (of a later version), kIo.
Result<TopicFacts> topic_facts(io::Disk& disk, const std::string& path, const std::string& topic);

std::string partition_folder(const std::string& path, std::string_view topic,
                             PartitionId partition);

// Where the first of a partition's segments begins. Errors: kCorrupt (there is none), kIo.
Result<Offset> partition_start(io::Disk& disk, const std::string& folder);

// Bytes that are no whole batch with a right CRC where there has to be one.
struct Damage {
  std::string file;
  uint64_t position = 0;             // of the first such byte
  Offset offset;                     // of the first record that they cost
  std::optional<Offset> whole_from;  // where batches are whole again; nullopt: none is behind
  std::string why;
};

// An index that is not what it should be. Without its file, opening makes it anew.
struct BadIndex {
  std::string file;
  std::string why;
};

struct PartitionCheck {
  Offset start;
  Offset end;  // one past the last whole record
  // Of whole batches.
  int64_t batches = 0;
  int64_t records = 0;
  uint64_t bytes = 0;
  std::vector<Damage> damages;  // by offset
  std::vector<BadIndex> bad_indexes;
  // What was being written when the process or the machine stopped: opening cuts it.
  uint64_t torn_bytes = 0;
};

struct Verification {
  // Where a process has the log open: its records from `live_start` to `live_end`, which it says
  // are durable. It may remove what is before, and write behind.
  std::optional<Offset> live_start;
  std::optional<Offset> live_end;
  // Called with each whole batch, in order. Its error ends the reading.
  std::function<Result<void>(std::string_view batch, const record::BatchHeader&)> each;
};

// Reads every batch and checks its CRC, its offset and what the index says of it. Damage is no
// error but what is found. Errors: kCorrupt (no segment at all), kIo; those of `each`.
Result<PartitionCheck> verify_partition(io::Disk& disk, const std::string& folder,
                                        const Verification& how = {});

}  // namespace millrace::log
