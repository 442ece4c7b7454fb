#include "cli/session.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "cli/pipeline_file.h"

namespace millrace::cli {
namespace {

constexpr std::string_view kDataDirDefault = "./millrace-data";

// The data directory that is meant where --data-dir is not given.
std::string data_dir_of_environment() {
  const char* set = std::getenv("MILLRACE_DATA_DIR");
  return set != nullptr && *set != '\0' ? set : std::string(kDataDirDefault);
}

// Lines as a terminal may show them: a message may quote what is in records.
std::string printable_lines(std::string_view text) {
  std::string shown;
  while (true) {
    size_t end = text.find('\n');
    shown += printable(text.substr(0, end));
    if (end == text.npos) return shown;
    shown += '\n';
    text.remove_prefix(end + 1);
  }
}

Result<void> output_failed() {
  if (errno == EPIPE) return fail(ErrorCode::kCancelled, "nobody reads on");
  return fail(ErrorCode::kIo, "cannot write the output: {}", errno_text(errno));
}

}  // namespace

Result<void> Output::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return output_failed();
  return {};
}

Result<void> Output::flush() {
  if (std::fflush(stdout) != 0) return output_failed();
  return {};
}

Session::Session(const Given& given, std::string_view program, std::string_view version)
    : program_(program),
      data_dir_(given.data_dir.empty() ? data_dir_of_environment() : given.data_dir),
      format_(given.format),
      version_(version),
      out_(terminal_of(STDOUT_FILENO, given.no_color)),
      err_(terminal_of(STDERR_FILENO, given.no_color)) {}

std::string Session::data_dir_option() const {
  return data_dir_ == data_dir_of_environment() ? "" : fmt::format(" --data-dir {}", data_dir_);
}

Result<Client> Session::client_to_change(const std::string& pipeline_file) const {
  return Client::open_to_change(data_dir_, version_, [&]() -> Result<spec::Pipeline> {
    auto file = MR_TRY(choose_pipeline_file(pipeline_file, "dlq redrive --file"));
    auto loaded = MR_TRY(load_and_check(file));
    for (const auto& problem : loaded.problems) say(to_line(problem));
    if (loaded.ok()) return std::move(loaded.pipeline);
    return fail(ErrorCode::kInvalid, "{} has errors, so nothing was done", file);
  });
}

// That nobody is there to read it, as when a terminal was closed, is no failure of the command.
void Session::say(std::string_view text) const {
  auto line = fmt::format("{}\n", text);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void Session::note(std::string_view text) const {
  say(paint(printable_lines(text), Look::kDim, err_.colour));
}

void Session::complain(std::string_view text) const {
  say(fmt::format("{} {}", paint("millrace:", Look::kBad, err_.colour), printable_lines(text)));
}

std::string count_of(int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", with_thousands(number), noun, number == 1 ? "" : "s");
}

}  // namespace millrace::cli
