// What pipeline says, as JSON texts. Inside door/http only.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "pipeline/dead_letters.h"
#include "pipeline/inspect.h"
#include "pipeline/produce.h"
#include "pipeline/status.h"

namespace millrace::http {

// Bytes that are not UTF-8 become U+FFFD, here and in all of these but where it says otherwise.
std::string dump(const nlohmann::ordered_json& json);

std::string to_json(const pipeline::Status& status);
nlohmann::ordered_json to_json(const pipeline::TopicStatus& topic);
std::string to_json(const pipeline::TopicDescription& topic);

// {"topic","partition","offset","timestamp","key","value","headers"}. A value that is a JSON object
// or array stands as it is; any other as a string; bytes that are no UTF-8 under "value_base64".
std::string to_json(const pipeline::Record& record);
// {"record":…,"rows":[…],"failure":…}; no failure: null.
std::string to_json(const pipeline::Tapped& tapped);
// {"address",…,"from":{…},"key","raw"}: the bytes refused as a string, whatever they are; those
// that are no UTF-8 as "raw_base64". Very large ones stand in "raw_file" of the data directory; of
// a tombstone null.
std::string to_json(const pipeline::DeadLetter& letter);

// {"records":3,"partitions":[{"partition":0,"first_offset":7,"end_offset":10}]}.
std::string to_json(const pipeline::Produced& produced);

// "[a,b]" of JSON texts.
template <class Range, class ToText>
std::string json_array(const Range& range, ToText to_text) {
  std::string text = "[";
  for (const auto& element : range) {
    if (text.size() > 1) text += ',';
    text += to_text(element);
  }
  return text += ']';
}

}  // namespace millrace::http
