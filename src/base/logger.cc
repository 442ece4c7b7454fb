#include "base/logger.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>
#include <utility>

namespace millrace {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

void append_json_string(std::string& to, std::string_view text) {
  to += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      to += c;
    }
  }
  to += '"';
}

class OutputSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit OutputSink(Logger::Output output) : output_(std::move(output)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    output_(std::string_view(line.data(), line.size()));
  }
  void flush_() override {}

 private:
  Logger::Output output_;
};

std::unique_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  return std::make_unique<spdlog::logger>("millrace", std::move(sink));
}

}  // namespace

Logger::Logger(LogFormat format, LogLevel least)
    : Logger(format, least, make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>())) {}

Logger::Logger(LogFormat format, LogLevel least, Output output)
    : Logger(format, least, make_logger(std::make_shared<OutputSink>(std::move(output)))) {}

Logger::Logger(LogFormat format, LogLevel least, std::unique_ptr<spdlog::logger> logger)
    : format_(format), logger_(std::move(logger)) {
  logger_->set_level(spdlog_level(least));
  logger_->set_pattern(format == LogFormat::kJson
                           ? R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                           : "%H:%M:%S.%e %L %v",
                       format == LogFormat::kJson ? spdlog::pattern_time_type::utc
                                                  : spdlog::pattern_time_type::local);
  logger_->flush_on(spdlog::level::debug);
}

Logger::~Logger() = default;

void Logger::write(LogLevel level, std::string_view message,
                   std::initializer_list<LogField> fields) {
  if (!logger_->should_log(spdlog_level(level))) return;
  std::string line;
  if (format_ == LogFormat::kText) {
    line = message;
    for (const auto& field : fields) line += fmt::format("  {}={}", field.key, field.value);
  } else {
    line = "\"msg\":";
    append_json_string(line, message);
    for (const auto& field : fields) {
      line += fmt::format(",\"{}\":", field.key);
      append_json_string(line, field.value);
    }
  }
  logger_->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace millrace
