// Every limit of the process that a user can meet, in one place. What happens at each is said
// beside it; most are back-pressure, the others an error that names the limit. None loses data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace millrace::limits {

// Stopping: how long the tables may take what is in their topics, and all of it; what is not done
// then is ended by force, and said.
inline constexpr std::chrono::milliseconds kDrainMax{3'000};
inline constexpr std::chrono::milliseconds kStopMax{4'700};

// The log.
inline constexpr size_t kSegmentBytes = size_t{64} << 20;        // then a new segment is begun
inline constexpr size_t kBatchBytesMax = size_t{32} << 20;       // larger appends are refused
inline constexpr size_t kRecordBytesMax = size_t{16} << 20;      // larger records are refused
inline constexpr size_t kIndexIntervalBytes = size_t{16} << 10;  // log bytes between index entries
inline constexpr int32_t kPartitionsMax = 1024;                  // of one topic
inline constexpr size_t kTopicNameMax = 249;                     // bytes, as in Kafka

// What a pipeline node takes at once. A batch is what has arrived, up to these.
inline constexpr size_t kBatchRecords = 16'384;
inline constexpr size_t kBatchBytes = size_t{8} << 20;

// The share of dead letters that `dead_letters: {max: …}` limits is that among so many of the last
// records; fewer than the second count as that many.
inline constexpr int64_t kShareRecords = 1'000;
inline constexpr int64_t kShareRecordsMin = 100;

// JSON.
inline constexpr size_t kJsonDepthMax = 64;  // deeper records become dead letters

// Avro schemas; larger ones are refused.
inline constexpr size_t kAvroSchemaBytesMax = size_t{1} << 20;
inline constexpr size_t kAvroTypesMax = 10'000;

// HTTP sources.
inline constexpr size_t kResponseBytesMax = size_t{256} << 20;  // unless `response_max` says
inline constexpr size_t kResponseBytesLimit = size_t{2} << 30;  // what it may say; the JSON
                                                                // parser takes less than 4 GiB
// A source whose page has no items asks again no sooner, whatever `every` says.
inline constexpr std::chrono::milliseconds kNoItemsWait{100};
// Items that an API may send again and that are known then, kept in the cursor; a page past them
// is an error and tried again, for old ones could not be told from new.
inline constexpr size_t kSeenItemsMax = 20'000;
// Pages without items in a row, each with the cursor of another one; then a run is over.
inline constexpr int kEmptyPagesMax = 10;
// Of what leads to the next page; with more the request fails.
inline constexpr size_t kNextPageBytesMax = size_t{16} << 10;
inline constexpr std::chrono::milliseconds kBackoffFirst{500};
inline constexpr std::chrono::milliseconds kBackoffMax{30'000};

// The store.
inline constexpr size_t kMemtableBytes = size_t{16} << 20;
inline constexpr size_t kBlockCacheBytes = size_t{16} << 20;
inline constexpr size_t kColumnsMax = 1'000;  // of one table or topic

// How long the store remembers that a row was erased, as Cassandra's gc_grace_seconds: an older
// record that comes again after that brings it back.
inline constexpr int64_t kErasureSeconds = int64_t{10} * 24 * 60 * 60;
// A row's TTL, Cassandra's: a record that asks for more becomes a dead letter.
inline constexpr int64_t kTtlSecondsMax = int64_t{20} * 365 * 24 * 60 * 60;

// The JSON API.
inline constexpr size_t kApiConnectionsMax = 64;                // more wait to be accepted
inline constexpr size_t kApiRequestBytesMax = size_t{1} << 20;  // more get 413
// Likewise, of a request with a record in it, as a JSON string.
inline constexpr size_t kApiRecordRequestBytesMax = 2 * kRecordBytesMax + kApiRequestBytesMax;
inline constexpr size_t kApiRecordsMax = 10'000;  // of one look into a topic
inline constexpr size_t kApiRowsMax = 1'000'000;  // of one query's answer, which then ends
inline constexpr size_t kApiAnswerBytesMax = size_t{256} << 20;      // likewise
inline constexpr std::chrono::milliseconds kApiWaitMax{30'000};      // for records to come
inline constexpr std::chrono::milliseconds kApiIdleMax{60'000};      // of an open connection
inline constexpr std::chrono::milliseconds kApiTransferMax{60'000};  // of one body, either way

// Ad-hoc queries: DuckDB's working memory; past it a query fails, the pipelines go on.
inline constexpr size_t kQueryMemoryBytes = size_t{512} << 20;

}  // namespace millrace::limits
