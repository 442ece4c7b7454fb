// The answers about dead letters. Inside door/http only.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "pipeline/dead_letter_list.h"
#include "pipeline/instance.h"

namespace millrace::http {

// {"dead_letters":[…],"groups":[{"node","stage","rule","open","closed"}]}.
Result<std::string> answer_dead_letters(pipeline::Instance& instance,
                                        const pipeline::DeadLetterFilter& filter, bool closed_too,
                                        size_t limit);

// `body`: {"addresses":[…],"value":"…"}, the value for one address only and not needed; or one step
// through many: {"node","rule","stage","from"}, where `from` is the step before's `next`, and all
// but the node may be left out.
// {"written":1,"filtered":0,"not_open":0,"failing":[{"address","error"}],"next":null}.
Result<std::string> answer_redrive(pipeline::Instance& instance, std::string_view body);

}  // namespace millrace::http
