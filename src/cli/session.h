// What every command has at hand.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/client.h"
#include "cli/display.h"
#include "cli/print_table.h"

namespace millrace::cli {

enum class Format : unsigned char { kText, kJson, kCsv };

// Stdout, so that a full disk is noticed. Errors: kIo; kCancelled when the reader has gone, as of
// `… | head`, which is no failure.
class Output {
 public:
  explicit Output(Terminal terminal) : terminal_(terminal) {}
  const Terminal& terminal() const { return terminal_; }

  Result<void> write(std::string_view text);
  Result<void> flush();
  Emit emit() {
    return [this](std::string_view lines) { return write(lines); };
  }

 private:
  Terminal terminal_;
};

class Session {
 public:
  // The options that all commands have, as given.
  struct Given {
    std::string data_dir;  // "": not given
    Format format = Format::kText;
    bool no_color = false;
  };
  // `program`: as it was called.
  Session(const Given& given, std::string_view program, std::string_view version);

  const std::string& program() const { return program_; }

  const std::string& data_dir() const { return data_dir_; }
  // " --data-dir DIR" for commands shown to the user that would look elsewhere without it.
  std::string data_dir_option() const;
  Format format() const { return format_; }
  std::string_view version() const { return version_; }
  Output& out() { return out_; }
  const Terminal& err() const { return err_; }

  Result<Client> client() const { return Client::open(data_dir_, version_); }
  // To change what is there: where no pipeline runs, by this file.
  Result<Client> client_to_change(const std::string& pipeline_file) const;

  // To put records into topics.
  Result<Client> client_to_produce() const { return Client::open_to_produce(data_dir_, version_); }

  // A line to stderr.
  void say(std::string_view text) const;
  // The same, dim on a terminal.
  void note(std::string_view text) const;
  // "millrace: TEXT" to stderr, red on a terminal.
  void complain(std::string_view text) const;

 private:
  std::string program_;
  std::string data_dir_;
  Format format_;
  std::string_view version_;
  Output out_;
  Terminal err_;
};

// "1 record", "3 records".
std::string count_of(int64_t number, std::string_view noun);

}  // namespace millrace::cli
