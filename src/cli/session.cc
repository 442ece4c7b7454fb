#include "cli/session.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/text.h"

namespace millrace::cli {
namespace {

constexpr std::string_view kDataDirDefault = "./millrace-data";

// The data directory that is meant where --data-dir is not given.
std::string data_dir_of_environment() {
  const char* set = std::getenv("MILLRACE_DATA_DIR");
  return set != nullptr && *set != '\0' ? set : std::string(kDataDirDefault);
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

void Session::note(std::string_view text) const {
  fmt::print(stderr, "{}\n", paint(text, Look::kDim, err_.colour));
}

void Session::complain(std::string_view text) const {
  fmt::print(stderr, "{} {}\n", paint("millrace:", Look::kBad, err_.colour), text);
}

std::string count_of(int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", with_thousands(number), noun, number == 1 ? "" : "s");
}

}  // namespace millrace::cli
