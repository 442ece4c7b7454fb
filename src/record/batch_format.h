// Where the fields of a batch's header stand (Kafka's "Record Batch", magic 2); big-endian all.
#pragma once

#include <cstddef>
#include <cstdint>

namespace millrace::record {

inline constexpr size_t kBaseOffsetAt = 0;        // int64
inline constexpr size_t kLengthAt = 8;            // int32: bytes after this field
inline constexpr size_t kLeaderEpochAt = 12;      // int32
inline constexpr size_t kMagicAt = 16;            // int8
inline constexpr size_t kCrcAt = 17;              // uint32: CRC32C from attributes to the end
inline constexpr size_t kAttributesAt = 21;       // int16
inline constexpr size_t kLastOffsetDeltaAt = 23;  // int32
inline constexpr size_t kBaseTimestampAt = 27;    // int64
inline constexpr size_t kMaxTimestampAt = 35;     // int64
inline constexpr size_t kProducerIdAt = 43;       // int64
inline constexpr size_t kProducerEpochAt = 51;    // int16
inline constexpr size_t kBaseSequenceAt = 53;     // int32
inline constexpr size_t kCountAt = 57;            // int32, then the records

inline constexpr size_t kLengthCountsFrom = kLeaderEpochAt;
inline constexpr int8_t kMagic = 2;

inline constexpr int16_t kCompressionBits = 0x07;
inline constexpr int16_t kLogAppendTimeBit = 0x08;
inline constexpr int16_t kControlBit = 0x20;

}  // namespace millrace::record
