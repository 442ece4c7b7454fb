// A first pipeline file for items that were looked at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "infer/findings.h"
#include "infer/header.h"

namespace millrace::infer {

struct DraftOf {
  std::string name;     // of the pipeline, its topic and its keyspace: lower case, as SQL has it
  std::string address;  // of the API; empty: not known yet
  std::vector<Header> headers = {};  // that it asks for
  std::string from;                  // what was looked at, for people
  std::string schema_file;           // as the pipeline file names it
  std::vector<std::string> key;      // path of the key in an item; empty: there is none
};

// A name made of an address or a file's name: "https://api.example.com/v1/users?page=2" -> "users".
std::string name_for(std::string_view from);
// Whether it can be a DraftOf::name.
bool is_name(std::string_view name);

// YAML, with comments, that `millrace lint` finds nothing in: a source whose `select` makes a
// column of every field, down through objects; a topic, a table, and a test made of one item.
std::string draft_pipeline(const Findings& findings, const DraftOf& of);
// keyspace.table of that file.
std::string table_of(const Findings& findings, const DraftOf& of);

}  // namespace millrace::infer
