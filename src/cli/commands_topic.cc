// topic: lists, describes, reads topics; commands_produce.cc writes them.
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/limits.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "door/http/target.h"
#include "io/clock.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

// How long one request of --follow waits.
constexpr std::chrono::milliseconds kFollowWait{10'000};
constexpr size_t kLastRecords = 10;

Result<int> list_topics(Session& session) {
  auto client = MR_TRY(session.client());
  auto answer = MR_TRY(client.get("/v1/topics"));
  JsonSlicer slicer;
  auto topics = MR_TRY(slicer.member(answer.json(), "topics"));
  if (session.format() == Format::kJson) {
    MR_TRY(session.out().write(fmt::format("{}\n", topics)));
    return 0;
  }
  std::vector<std::vector<Cell>> rows;
  for (const auto& topic : Json::parse(topics)) {
    rows.push_back({{topic.at("name").get<std::string>()},
                    {with_thousands(topic.at("partitions"))},
                    {with_thousands(topic.at("records"))},
                    {format_bytes(topic.at("bytes"))}});
  }
  if (rows.empty()) session.note("no topics yet: 'millrace up FILE' makes those that FILE names");
  if (rows.empty()) return 0;
  MR_TRY(print_table({{"TOPIC"}, {"PARTITIONS", true}, {"RECORDS", true}, {"SIZE", true}}, rows,
                     session.out().terminal(), session.out().emit()));
  return 0;
}

Result<int> describe_topic(Session& session, const std::string& name) {
  auto client = MR_TRY(session.client());
  auto answer = MR_TRY(client.get(http::TargetBuilder("/v1/topics").piece(name).text()));
  auto& out = session.out();
  if (session.format() == Format::kJson) {
    MR_TRY(out.write(fmt::format("{}\n", answer.json())));
    return 0;
  }
  auto topic = Json::parse(answer.json());
  const auto& key = topic.at("key");
  std::string columns =
      key.is_array() ? fmt::format("{}", fmt::join(key.get<std::vector<std::string>>(), ", "))
                     : key.get<std::string>();
  MR_TRY(out.write(
      fmt::format("topic   {}\nkey     {}\nvalues  {}\n\n", topic.at("name").get<std::string>(),
                  columns.empty() ? "none" : columns, topic.at("format").get<std::string>())));
  std::vector<std::vector<Cell>> rows;
  for (const auto& partition : topic.at("partitions")) {
    int64_t start = partition.at("start_offset");
    int64_t end = partition.at("end_offset");
    rows.push_back({{with_thousands(partition.at("partition"))},
                    {with_thousands(start)},
                    {with_thousands(end)},
                    {with_thousands(end - start)},
                    {format_bytes(partition.at("bytes"))}});
  }
  MR_TRY(print_table({{"PARTITION", true},
                      {"FIRST OFFSET", true},
                      {"NEXT OFFSET", true},
                      {"RECORDS", true},
                      {"SIZE", true}},
                     rows, out.terminal(), out.emit()));
  rows.clear();
  for (const auto& column : topic.at("columns")) {
    rows.push_back(
        {{column.at("name").get<std::string>()}, {column.at("type").get<std::string>()}});
  }
  if (rows.empty()) return 0;
  MR_TRY(out.write("\n"));
  MR_TRY(print_table({{"COLUMN"}, {"TYPE"}}, rows, out.terminal(), out.emit()));
  return 0;
}

struct Consume {
  std::string topic;
  std::optional<int64_t> offset;
  bool from_start = false;
  std::string time;
  std::optional<int64_t> count;
  bool follow = false;
  std::optional<int32_t> partition;

  bool has_start() const { return offset || from_start || !time.empty(); }
};

// A moment, or how long ago ("10m"), as the API takes it.
Result<std::string> moment_of(const std::string& text) {
  if (auto ago = parse_duration(text)) {
    auto micros = io::SystemClock().now_micros() - std::chrono::microseconds(*ago).count();
    return format_timestamp(micros);
  }
  if (parse_timestamp(text)) return text;
  return fail(ErrorCode::kInvalid,
              "--time {}: give a time like 2026-11-21T05:07:09Z, or how long ago, like 10m", text);
}

// Prints one page of records after another.
class Consumer {
 public:
  Consumer(Session& session, const Consume& consume) : session_(session), consume_(consume) {}

  Result<void> run(Client& client);
  int64_t printed() const { return printed_; }

 private:
  http::TargetBuilder target() const;
  Result<std::string> first_target() const;
  // Returns how many records the page has.
  Result<size_t> print_page(std::string_view answer);
  size_t page_limit() const;
  bool is_enough() const { return ends_by_count() && printed_ >= consume_.count.value_or(0); }
  bool ends_by_count() const {
    return consume_.count && (consume_.has_start() || !consume_.follow);
  }

  Session& session_;
  const Consume& consume_;
  JsonSlicer slicer_;
  std::string next_;
  int64_t printed_ = 0;
};

// Without a start --follow prints the last records, then goes on without end.
size_t Consumer::page_limit() const {
  auto most = static_cast<int64_t>(limits::kApiRecordsMax);
  if (!ends_by_count()) return limits::kApiRecordsMax;
  return static_cast<size_t>(
      std::clamp(consume_.count.value_or(most) - printed_, int64_t{1}, most));
}

http::TargetBuilder Consumer::target() const {
  auto target = http::TargetBuilder("/v1/topics").piece(consume_.topic).piece("records");
  if (consume_.partition) target.parameter("partition", std::to_string(*consume_.partition));
  return target;
}

Result<std::string> Consumer::first_target() const {
  auto first = target();
  auto limit = page_limit();
  if (consume_.offset || consume_.from_start) {
    first.parameter("offset", std::to_string(consume_.offset.value_or(0)));
  } else if (!consume_.time.empty()) {
    first.parameter("time", MR_TRY(moment_of(consume_.time)));
  } else {
    limit = std::min(static_cast<size_t>(consume_.count.value_or(kLastRecords)),
                     limits::kApiRecordsMax);
  }
  return first.parameter("limit", std::to_string(limit)).text();
}

Result<size_t> Consumer::print_page(std::string_view answer) {
  auto records = MR_TRY(slicer_.elements(answer, "records"));
  std::string lines;
  for (auto record : records) {
    if (session_.format() == Format::kJson) {
      lines += record;
    } else {
      auto value = content_of(MR_TRY(slicer_.member(record, "value")));
      lines += session_.out().terminal().is_terminal ? printable(value) : value;
    }
    lines += '\n';
  }
  MR_TRY(session_.out().write(lines));
  MR_TRY(session_.out().flush());
  auto next = MR_TRY(slicer_.member(answer, "next"));
  next_ = next.substr(1, next.size() - 2);
  printed_ += static_cast<int64_t>(records.size());
  return records.size();
}

Result<void> Consumer::run(Client& client) {
  auto first = MR_TRY(first_target());
  auto answer = MR_TRY(client.get(first));
  auto found = MR_TRY(print_page(answer.json()));
  bool follow = consume_.follow && client.is_live();
  if (consume_.follow && !follow) {
    session_.note("no pipeline runs here, so no records come: this is what there is");
  }
  while (!is_enough() && (follow || (consume_.has_start() && found > 0))) {
    auto more = target();
    more.parameter("past", next_).parameter("limit", std::to_string(page_limit()));
    if (follow) more.parameter("wait_ms", std::to_string(kFollowWait.count()));
    answer = MR_TRY(client.get(more.text()));
    found = MR_TRY(print_page(answer.json()));
  }
  return {};
}

Result<int> consume_topic(Session& session, const Consume& consume) {
  auto client = MR_TRY(session.client());
  Consumer consumer(session, consume);
  MR_TRY(consumer.run(client));
  session.note(count_of(consumer.printed(), "record"));
  return 0;
}

void add_consume(Commands& commands, CLI::App* group) {
  auto consume = std::make_shared<Consume>();
  auto* app =
      commands.add(group, "consume", "Print a topic's records: without options the last ten",
                   [consume](Session& session) { return consume_topic(session, *consume); });
  app->add_option("TOPIC", consume->topic, "Its name")->required();
  auto* offset = app->add_option("--offset", consume->offset, "From this offset of each partition")
                     ->type_name("N")
                     ->check(CLI::NonNegativeNumber.description(""));
  auto* start = app->add_flag("--from-start", consume->from_start, "From the first record on");
  auto* time = app->add_option("--time", consume->time,
                               "From this time on (2026-11-21T05:07:09Z), or so long ago (10m)")
                   ->type_name("T");
  offset->excludes(start)->excludes(time);
  start->excludes(time);
  app->add_option("-n", consume->count,
                  "At most so many; without a beginning the last ones, of 8 MiB at most")
      ->type_name("N")
      ->check(CLI::PositiveNumber.description(""));
  app->add_option("--partition", consume->partition, "Only of this partition")
      ->type_name("P")
      ->check(CLI::NonNegativeNumber.description(""));
  app->add_flag("-f,--follow", consume->follow, "Go on with records as they come");
}

}  // namespace

void add_topic_commands(Commands& commands) {
  auto* group = commands.add_group("topic", "List, describe, read and write topics");
  commands.add(group, "list", "All topics", list_topics);
  auto name = std::make_shared<std::string>();
  auto* describe =
      commands.add(group, "describe", "A topic's key, columns and partitions",
                   [name](Session& session) { return describe_topic(session, *name); });
  describe->add_option("TOPIC", *name, "Its name")->required();
  add_consume(commands, group);
  add_produce_command(commands, group);
}

}  // namespace millrace::cli
