// The routes, each declared once.
#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "door/http/api.h"
#include "door/http/call.h"
#include "door/http/dead_letters_answer.h"
#include "door/http/query_answer.h"
#include "door/http/records_answer.h"
#include "door/http/to_json.h"
#include "pipeline/inspect.h"
#include "pipeline/produce.h"
#include "sql/json_split.h"

namespace millrace::http {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLimitDefault = 10;

Result<size_t> limit_of(const Call& call) {
  auto limit = MR_TRY(call.number("limit", 1, limits::kApiRecordsMax));
  return static_cast<size_t>(limit.value_or(kLimitDefault));
}

Result<std::string> get_version(const Api& api, const Call&) {
  return dump(Json{{"version", api.version()}});
}

Result<std::string> get_status(const Api& api, const Call&) {
  return to_json(api.instance().status());
}

Result<std::string> get_topics(const Api& api, const Call&) {
  auto topics = Json::array();
  for (const auto& topic : api.instance().status().topics) topics.push_back(to_json(topic));
  return dump(Json{{"topics", std::move(topics)}});
}

Result<std::string> get_topic(const Api& api, const Call& call) {
  return to_json(MR_TRY(pipeline::describe_topic(api.instance(), call.taken(0))));
}

Result<std::string> get_records(const Api& api, const Call& call) {
  RecordsQuestion question;
  question.topic = call.taken(0);
  if (auto partition = MR_TRY(call.number("partition", 0, std::numeric_limits<int32_t>::max()))) {
    question.wanted.partition = static_cast<int32_t>(*partition);
  }
  question.wanted.from_offset =
      MR_TRY(call.number("offset", 0, std::numeric_limits<int64_t>::max()));
  question.wanted.from_time_ms = MR_TRY(call.time_ms("time"));
  question.wanted.limit = MR_TRY(limit_of(call));
  question.past = MR_TRY(call.numbers("past"));
  auto wait_ms = MR_TRY(call.number("wait_ms", 0, limits::kApiWaitMax.count()));
  question.wait = std::chrono::milliseconds(wait_ms.value_or(0));
  return answer_records(api.instance(), question, call.stop());
}

Result<std::string> post_records(const Api& api, const Call& call) {
  std::string text = call.body();
  text.append(sql::kJsonPadding, '\0');
  pipeline::Lines lines{.text = std::string_view(text).substr(0, call.body().size())};
  auto first = MR_TRY(call.number("first_line", 1, std::numeric_limits<int64_t>::max() / 2));
  lines.first = first.value_or(lines.first);
  auto are_tombstones = MR_TRY(call.number("tombstones", 0, 1));
  lines.are_tombstones = are_tombstones == 1;
  return to_json(MR_TRY(pipeline::produce(api.instance(), call.taken(0), lines)));
}

Result<std::string> get_tap(const Api& api, const Call& call) {
  const auto& node = call.taken(0);
  auto limit = MR_TRY(limit_of(call));
  auto tapped = MR_TRY(pipeline::tap(api.instance(), node, limit));
  return fmt::format(R"({{"tapped":{}}})",
                     json_array(tapped, [](const auto& each) { return to_json(each); }));
}

Result<std::string> post_sql(const Api& api, const Call& call) {
  auto json = Json::parse(call.body(), nullptr, false);
  if (!json.is_object() || !json.contains("sql") || !json["sql"].is_string()) {
    return fail(ErrorCode::kInvalid, R"(the body is to be {{"sql": "SELECT …"}})");
  }
  return answer_query(api.instance(), json["sql"].get<std::string>(), call.stop());
}

Result<std::string> get_dead_letters(const Api& api, const Call& call) {
  pipeline::DeadLetterFilter filter{.node = std::string(call.text("node").value_or("")),
                                    .rule = std::string(call.text("rule").value_or("")),
                                    .stage = std::string(call.text("stage").value_or(""))};
  auto closed_too = MR_TRY(call.number("closed", 0, 1));
  auto limit = MR_TRY(limit_of(call));
  return answer_dead_letters(api.instance(), filter, closed_too == 1, limit);
}

Result<std::string> get_dead_letter(const Api& api, const Call& call) {
  return to_json(MR_TRY(pipeline::find_dead_letter(api.instance(), call.taken(0))));
}

Result<std::string> post_redrive(const Api& api, const Call& call) {
  return answer_redrive(api.instance(), call.body());
}

const Parameter kLimit = {"limit", "at most so many, from 1 to 10000; 10 unless given"};

const std::vector<Route> kRoutes = {
    {"GET", "/v1/version", {}, get_version, "The version of the running binary."},
    {"GET",
     "/v1/status",
     {},
     get_status,
     "What runs: sources, topics and tables, with records in, written, filtered, refused, "
     "waiting."},
    {"GET", "/v1/topics", {}, get_topics, "All topics, those of dead letters too."},
    {"GET", "/v1/topics/{topic}", {}, get_topic, "A topic's key, columns and partitions."},
    {"GET",
     "/v1/topics/{topic}/records",
     {{"partition", "only of this one"},
      {"offset", "from this offset of each partition"},
      {"time", "from this time on: RFC 3339, or milliseconds since 1970"},
      kLimit,
      {"past", "from these offsets, one for each partition: 'next' of the answer before"},
      {"wait_ms", "with past: waits so long, at most 30000, until there are any"}},
     get_records,
     "Records of a topic by time; without a beginning the last ones. 'next' continues: of 8 MiB of "
     "records on there are fewer than asked for.",
     Pace::kWaiting},
    {"POST",
     "/v1/topics/{topic}/records",
     {{"first_line", "the number of the body's first line, for messages; 1 unless given"},
      {"tombstones", "1: the lines name keys, and the records have no value"}},
     post_records,
     "Appends the records of all lines, each a JSON object of the topic's columns, or of none.",
     Pace::kPrompt,
     limits::kApiRecordRequestBytesMax},
    {"GET",
     "/v1/tap/{node}",
     {kLimit},
     get_tap,
     "The newest records of a source, topic or table, and what a table's SELECT makes of them."},
    {"POST",
     "/v1/sql",
     {},
     post_sql,
     "Runs a SELECT over topics and tables; truncated says that rows are missing at the end.",
     Pace::kQuerying},
    {"GET",
     "/v1/dead-letters",
     {{"node", "only of this source or table"},
      {"rule", "only refused by this expectation"},
      {"stage", "only refused at this stage: decode, sql, expect"},
      {"closed", "1: those that are no longer open, too"},
      kLimit},
     get_dead_letters,
     "Open dead letters, the newest first, and how many there are of each kind. Of 16 MiB of "
     "records on, the older ones are without key and raw."},
    {"POST",
     "/v1/dead-letters/redrive",
     {},
     post_redrive,
     "Takes dead letters again, by what the pipeline's file says now.",
     Pace::kPrompt,
     limits::kApiRecordRequestBytesMax},
    {"GET",
     "/v1/dead-letters/{address...}",
     {},
     get_dead_letter,
     "One record that was refused: NODE/PARTITION/OFFSET."},
};

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

}  // namespace millrace::http
