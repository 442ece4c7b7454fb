// spec: the pipeline file. Reads YAML into the structs below, and says what is wrong with a file,
// where, and what was probably meant.
//
// Every key is declared once (keys.cc: name, type, default, doc line, where it is stored). The
// reader, lint's 'did you mean', the editor's JSON Schema and docs/pipeline-file.md all come from
// those declarations.
//
// Called by pipeline (to run), cli (to lint). Leaves to others: whether SQL is right (pipeline
// asks sql), whether a URL answers.
// Promises: reads the pipeline file and the files it names, nothing else; values of ${secret:…}
// appear in no message and in no `shown` text. Pure otherwise, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "schema/type.h"
#include "spec/http_spec.h"
#include "spec/place.h"
#include "spec/test_spec.h"
#include "spec/text.h"

namespace millrace::spec {

// A finding of lint. Errors keep the file from running; warnings do not.
struct Problem {
  enum class Severity : uint8_t { kError, kWarning };
  Severity severity = Severity::kError;
  Place place;
  std::string message;  // what is wrong and what to do, in a sentence or two
};

// What responses are written in; kByType: as their Content-Type says.
enum class Format : uint8_t { kByType, kJson, kJsonLines, kCsv };

struct DeadLettersSpec {
  double max = 1;  // the share of records, from 0 to 1, above which a node stops

  bool operator==(const DeadLettersSpec&) const = default;
};

struct SourceSpec {
  std::string name;
  Place place;
  HttpSpec http;
  // The length of one run; nullopt: until there are no more pages, or one request without `page`.
  std::optional<std::chrono::milliseconds> run_for;
  Format format = Format::kByType;
  std::vector<std::string> items;  // path of object keys to the array of items; empty: the top
  Place items_place;
  std::string schema_file;  // as written
  schema::Columns columns;  // of one item, from the schema file
  std::string to;           // topic
  Place to_place;
  Sql select;
  DeadLettersSpec dead_letters;

  bool operator==(const SourceSpec&) const = default;
};

// How much of a topic is kept; what is left out sets no bound.
struct RetentionSpec {
  std::optional<std::chrono::milliseconds> time;  // since a record's timestamp
  std::optional<int64_t> bytes;                   // of each partition

  bool operator==(const RetentionSpec&) const = default;
};

// What a topic's values are.
enum class ValueFormat : uint8_t { kJson, kAvro };

struct TopicSpec {
  std::string name;
  Place place;
  std::vector<std::string> key;  // columns; none: records without a key, spread over the partitions
  Place key_place;
  int32_t partitions = 1;
  RetentionSpec retention;
  ValueFormat format = ValueFormat::kJson;
  std::string schema_file;  // as written; empty: none
  Place schema_place;       // line 0: none
  schema::Columns columns;  // from that file; empty: those of the select that feeds it

  bool operator==(const TopicSpec&) const = default;
};

struct Expectation {
  std::string name;
  Sql condition;

  bool operator==(const Expectation&) const = default;
};

struct TableSpec {
  std::string keyspace;
  std::string name;
  Place place;
  std::vector<std::string> partition_key;
  std::vector<std::string> clustering_key;
  Place key_place;
  Sql from;
  std::vector<Expectation> expect;
  Sql ttl;  // empty: rows live for ever
  DeadLettersSpec dead_letters;

  std::string full_name() const { return keyspace + "." + name; }

  bool operator==(const TableSpec&) const = default;
};

struct Pipeline {
  std::string file;
  std::string name;
  std::vector<SourceSpec> sources;  // in the file's order, as all here
  std::vector<TopicSpec> topics;
  std::vector<TableSpec> tables;
  std::vector<TestSpec> tests;

  const TopicSpec* find_topic(std::string_view name) const;
};

// How ${env:NAME} and ${secret:NAME} are looked up; nullopt: not set.
struct Variables {
  std::function<std::optional<std::string>(std::string_view)> env;
  // Errors: kNotFound where it is not set; another where it cannot be read.
  std::function<Result<std::string>(std::string_view)> secret;
};
// The process's environment; secrets from files MILLRACE_SECRETS/NAME (default /run/secrets), then
// from environment variables of that name.
Variables process_variables();

struct Loaded {
  Pipeline pipeline;              // whole only where `problems` has no error
  std::vector<Problem> problems;  // in the file's order
  bool ok() const;
};
// Reads and checks a pipeline file. Error only where the file itself cannot be read; what is wrong
// inside it is in `problems`, as many as can be found at once.
Result<Loaded> load(const std::string& path, const Variables& variables);

// JSON Schema (draft 2020-12) of the pipeline file, for editors.
std::string editor_schema();
// docs/pipeline-file.md's table of keys, in Markdown.
std::string reference();

}  // namespace millrace::spec
