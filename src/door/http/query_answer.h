// The answer of /v1/sql. Inside door/http only.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pipeline/instance.h"

namespace millrace::http {

// {"columns":[{"name","type"}],"rows":[[…]],"undecodable":0,"truncated":false,"elapsed_ms":1.5}.
// Ends with truncated at limits::kApiRowsMax rows or kApiAnswerBytesMax. Errors: what the query
// says; kCancelled.
Result<std::string> answer_query(pipeline::Instance& instance, std::string_view sql,
                                 const std::stop_token& stop);

}  // namespace millrace::http
