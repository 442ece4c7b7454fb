// The answer of /v1/topics/{topic}/records. Inside door/http only.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "pipeline/inspect.h"

namespace millrace::http {

struct RecordsQuestion {
  std::string topic;
  pipeline::RecordsWanted wanted;
  // Instead of where `wanted` begins: an offset for each partition of the topic.
  std::optional<std::vector<int64_t>> past;
  std::chrono::milliseconds wait{0};  // with `past`, for the first record
};

// {"records":[…],"next":[…]}: `next`, asked for as `past`, gives what comes after these records.
Result<std::string> answer_records(pipeline::Instance& instance, const RecordsQuestion& question,
                                   std::stop_token stop);

}  // namespace millrace::http
