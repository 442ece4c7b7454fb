// The commands and their options. Each group of commands declares its own beside what they do.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/session.h"

namespace millrace::cli {

class Commands {
 public:
  // Returns the exit status.
  using Run = std::function<Result<int>(Session&)>;

  Commands();

  // A group of commands under one name ("topic").
  CLI::App* add_group(const std::string& name, const std::string& doc);
  // A command, in a group or (nullptr) at the top.
  CLI::App* add(CLI::App* group, const std::string& name, const std::string& doc, Run run,
                bool has_csv = false);

  // Reads the command line, runs what it asks for.
  int run(int argc, char** argv, std::string_view version);

 private:
  struct Command {
    CLI::App* app;
    Run run;
    bool has_csv;
  };
  void add_common_options(CLI::App& app, bool has_csv);
  int answer_completion(std::span<char*> words, std::string_view version);
  int misunderstood(const CLI::ParseError& error);

  CLI::App app_{"Runs pipelines: HTTP APIs into topics, topics into tables, by SQL.", "millrace"};
  Session::Given given_;
  bool version_asked_ = false;
  std::vector<Command> commands_;
};

void add_up_command(Commands& commands);
void add_file_commands(Commands& commands);  // lint
void add_infer_command(Commands& commands);
void add_init_command(Commands& commands);
void add_test_command(Commands& commands);
void add_status_command(Commands& commands);
void add_sql_command(Commands& commands);
void add_topic_commands(Commands& commands);
void add_produce_command(Commands& commands, CLI::App* group);
void add_tap_command(Commands& commands);
void add_dead_letter_commands(Commands& commands);  // dlq
void add_redrive_command(Commands& commands, CLI::App* group);
void add_table_commands(Commands& commands);
void add_doctor_command(Commands& commands);
void add_completion_command(Commands& commands);
void add_version_command(Commands& commands);

}  // namespace millrace::cli
