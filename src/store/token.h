// The place of a partition key on Cassandra's token ring.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::store {

// Murmur3Partitioner's token of a serialised partition key: the first half of MurmurHash3_x64_128
// with seed 0 in Cassandra's variant, which takes the bytes of the tail as signed; INT64_MIN
// becomes INT64_MAX, so INT64_MIN is the token of no key.
int64_t murmur3_token(std::string_view key);

}  // namespace millrace::store
