#include "spec/keys.h"

#include "base/limits.h"
#include "spec/choice.h"
#include "spec/keys_retention.h"
#include "spec/keys_tests.h"
#include "spec/names.h"

namespace millrace::spec {
namespace {

using namespace std::chrono_literals;

const NameRule kPipelineName = {
    "a pipeline's name", "^[a-zA-Z_][a-zA-Z0-9_-]{0,99}$",
    "letters, digits, _ and -, at most 100, beginning with a letter or _"};
const NameRule kSourceName = {"a source's name", "^[a-z_][a-z0-9_]*$",
                              "lower-case letters, digits and _, beginning with a letter or _"};
const NameRule kTopicName = {"a topic's name", "^(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}$",
                             "letters, digits, '.', '_' and '-', at most 249, as in Kafka"};
const NameRule kTableName = {
    "a table's name", "^[a-zA-Z][a-zA-Z0-9_]{0,47}\\.[a-zA-Z][a-zA-Z0-9_]{0,47}$",
    "write keyspace.table, each of letters, digits and _, at most 48, beginning with a letter"};
const NameRule kExpectationName = {
    "an expectation's name", "^[a-z_][a-z0-9_]*$",
    "lower-case letters, digits and _, beginning with a letter or _"};
template <class T>
void set_name(T& to, const std::string& name, const Place& place) {
  to.name = name;
  to.place = place;
}

void set_table_name(TableSpec& table, const std::string& name, const Place& place) {
  size_t dot = std::min(name.find('.'), name.size());
  table.keyspace = name.substr(0, dot);
  table.name = name.substr(std::min(dot + 1, name.size()));
  table.place = place;
}

void set_expectation_name(Expectation& expectation, const std::string& name, const Place&) {
  expectation.name = name;
}

Object<DeadLettersSpec> dead_letters() {
  return {"dead_letters",
          "What is done about records that are refused.",
          {
              key("max", &DeadLettersSpec::max, share(),
                  "The share of dead letters among the last records above which no more are taken, "
                  "until the pipeline is started again or gets SIGHUP. `0`: not a single one."),
          }};
}

Object<SourceSpec> source() {
  return {
      "source",
      "Where records come from.",
      {
          key("http", &SourceSpec::http, http(), "The HTTP API to ask.").required(),
          key("for", &SourceSpec::run_for, optional(duration(0ms)),
              "How long a run of `up --once` lasts; without `--once` it has no effect. Left out: "
              "until there are no more pages, or one request where there are no pages."),
          key("format", &SourceSpec::format,
              choice<Format>(
                  {{"json", Format::kJson}, {"jsonl", Format::kJsonLines}, {"csv", Format::kCsv}}),
              "What the responses are written in. Left out: what their Content-Type says."),
          key("items", &SourceSpec::items, path(),
              "Where in a JSON response the items are. Left out: the response is the list of "
              "items.")
              .placed(&SourceSpec::items_place),
          key("schema", schema_file<SourceSpec>(),
              "JSON Schema of one item; the name is relative to the pipeline file.")
              .required(),
          key("to", &SourceSpec::to, word("topic"), "The topic to append to.")
              .placed(&SourceSpec::to_place)
              .required(),
          key("select", &SourceSpec::select, sql("SQL query"),
              "Makes the topic's records from the items: reads from the source by its name, "
              "with the items' fields as columns.")
              .required(),
          key("dead_letters", &SourceSpec::dead_letters, object(dead_letters()),
              "When a source that refuses too many items stops."),
      }};
}

Value<ValueFormat> value_format() {
  return {{"`json` or `avro`", {{"enum", {"json", "avro"}}}, {}},
          [](Reader& reader, const Item& item, ValueFormat& to) {
            auto text = reader.plain(item, "json or avro");
            if (!text) return;
            if (*text == "protobuf")
              reader.error(reader.place(item.node),
                           "the format protobuf is not there yet; write json or avro");
            else if (*text != "json" && *text != "avro")
              reader.unexpected(item, "json or avro", in_quotes(*text));
            to = *text == "avro" ? ValueFormat::kAvro : ValueFormat::kJson;
          },
          [](const ValueFormat& format) {
            return std::string(format == ValueFormat::kAvro ? "avro" : "json");
          }};
}

Object<TopicSpec> topic() {
  return {"topic",
          "A log of records in order, split into partitions.",
          {
              key("key", &TopicSpec::key, columns(),
                  "The column that is the record's key, or a list of columns: records with equal "
                  "keys share a partition and keep their order. Left out: records are spread.")
                  .placed(&TopicSpec::key_place),
              key("partitions", &TopicSpec::partitions, small_number(1, limits::kPartitionsMax),
                  "How many partitions."),
              key("retention", &TopicSpec::retention, retention(),
                  "How much is kept: a time, `7d`; the bytes of each partition, `10GiB`; or both, "
                  "`{time: 7d, bytes: 10GiB}`. Left out: everything. Whole segments of 64 MiB go, "
                  "after all tables here have taken their records."),
              key("format", &TopicSpec::format, value_format(),
                  "What a record's value is: `json`, an object; or `avro`, in Confluent's framing, "
                  "with the schemas in the topic's folder."),
              key("schema", schema_file<TopicSpec>(),
                  "JSON Schema of a record's value. Needed only where no source here feeds the "
                  "topic.")
                  .placed(&TopicSpec::schema_place),
          }};
}

Object<TableSpec> table() {
  return {"table",
          "Rows kept by primary key; a record with the same key updates its row.",
          {
              key("primary_key", primary_key(),
                  "`id`, or a list: the partition key, then clustering columns. A list in its "
                  "first place is a partition key of several columns: `[[a, b], c]`.")
                  .placed(&TableSpec::key_place)
                  .required(),
              key("from", &TableSpec::from, sql("SQL query"),
                  "Makes the rows: reads from a topic by its name.")
                  .required(),
              key("expect", &TableSpec::expect,
                  map_of(kExpectationName, member(&Expectation::condition, sql("SQL condition")),
                         set_expectation_name),
                  "Conditions on a row; one that fails any goes to the dead letters under that "
                  "name."),
              key("ttl", &TableSpec::ttl, sql("SQL expression"),
                  "How long a row lives, from the record's timestamp: seconds, or an INTERVAL such "
                  "as `INTERVAL 30 DAYS`, over the row's columns; NULL is for ever. Not from 1 "
                  "second to 20 years: a dead letter of rule `ttl`. Left out: rows stay."),
              key("dead_letters", &TableSpec::dead_letters, object(dead_letters()),
                  "When a table that refuses too many records stops."),
          }};
}

Object<Pipeline> file() {
  return {"the file",
          "A pipeline: from sources through topics into tables.",
          {
              key("name", &Pipeline::name, name(kPipelineName),
                  "Names the pipeline where several are told apart, in logs and status.")
                  .required(),
              key("sources", &Pipeline::sources,
                  map_of(kSourceName, object(source()), set_name<SourceSpec>),
                  "Where records come from."),
              key("topics", &Pipeline::topics,
                  map_of(kTopicName, object(topic()), set_name<TopicSpec>), "Logs of records."),
              key("tables", &Pipeline::tables, map_of(kTableName, object(table()), set_table_name),
                  "Where rows end up."),
              key("tests", &Pipeline::tests, tests(), "What `millrace test` runs."),
          }};
}

}  // namespace

Value<Pipeline> pipeline_file() {
  return object(file());
}

}  // namespace millrace::spec
