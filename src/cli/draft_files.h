// A drafted pipeline on disk, and what people are told about what was found.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/session.h"
#include "infer/infer.h"

namespace millrace::cli {

// "results.users" as its keys; none where it is empty.
std::vector<std::string> keys_of(std::string_view path);
std::string path_text(const std::vector<std::string>& keys);

// --header, as often as it is given; what it was given, read.
void add_header_option(CLI::App& app, std::vector<std::string>& headers);
Result<std::vector<infer::Header>> read_headers(const std::vector<std::string>& headers);

// To stderr: where the items are, how many, which key, and what is unsure.
void tell(const Session& session, const infer::Findings& findings);

// PATH with its ending replaced by ".schema.json".
std::string schema_beside(const std::string& path);
// Errors: kConflict, one of them is there already; nothing is written over.
Result<void> check_free(const std::vector<std::string>& paths);

// Writes the pipeline file and its schema, then checks them as lint does and runs the draft's test.
// Folders are made. Errors: kConflict, kIo; kInvalid where the draft is not right.
Result<void> write_draft(const Session& session, const infer::Findings& findings,
                         infer::DraftOf draft, const std::string& path,
                         const std::string& schema_path);

}  // namespace millrace::cli
