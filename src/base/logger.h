// One line of log: to people as text, to machines as JSON; to stderr.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace spdlog {
class logger;
}

namespace millrace {

enum class LogFormat : uint8_t { kText, kJson };
enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view key;
  std::variant<std::string, int64_t, double, bool> value;  // JSON has it as what it is
};

// Safe from any thread. Never given secrets: what it is told, it prints.
//   {"time":"2026-11-21T09:03:51.402Z","level":"info","message":"…","node":"users","records":12}
// Whatever bytes a message or a text has: one line, without control characters, valid UTF-8.
class Logger {
 public:
  // Given a whole line with its line end, one at a time, on the thread that logs.
  using Output = std::function<void(std::string_view line)>;

  Logger(LogFormat format, LogLevel least);
  // To `output` instead of stderr, for who shows more than lines there.
  Logger(LogFormat format, LogLevel least, Output output);
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields);

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kDebug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kInfo, message, fields);
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kWarning, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kError, message, fields);
  }

 private:
  Logger(LogFormat format, LogLevel least, std::unique_ptr<spdlog::logger> logger);

  LogFormat format_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace millrace
