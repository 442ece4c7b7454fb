#include "base/logger.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <mutex>
#include <utility>

#include "base/text.h"

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

// `c` in a text that is, or is not, UTF-8.
bool is_plain(char c, bool is_text) {
  auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7f && (is_text || byte < 0x80);
}

void append_json_string(std::string& to, std::string_view text) {
  bool is_text = is_utf8(text);
  to += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
    } else if (is_plain(c, is_text)) {
      to += c;
    } else if (static_cast<unsigned char>(c) < 0x80) {
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      to += "\\ufffd";
    }
  }
  to += '"';
}

// For people: what would move a terminal's cursor is a space.
void append_plain(std::string& to, std::string_view text) {
  bool is_text = is_utf8(text);
  for (size_t i = 0; i < text.size(); ++i) {
    // C1 control characters are U+0080 to U+009F.
    bool is_c1 = is_text && text[i] == '\xc2' && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (is_c1) ++i;
    to += !is_c1 && is_plain(text[i], is_text) ? text[i] : ' ';
  }
}

void append_value(std::string& to, const LogField& field, LogFormat format) {
  if (const auto* text = std::get_if<std::string>(&field.value)) {
    format == LogFormat::kJson ? append_json_string(to, *text) : append_plain(to, *text);
  } else if (const auto* number = std::get_if<double>(&field.value)) {
    bool is_number = std::isfinite(*number);
    to += is_number || format == LogFormat::kText ? fmt::format("{}", *number) : "null";
  } else if (const auto* whole = std::get_if<int64_t>(&field.value)) {
    to += fmt::format("{}", *whole);
  } else {
    to += std::get<bool>(field.value) ? "true" : "false";
  }
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
                           ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
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
    append_plain(line, message);
  } else {
    line = "\"message\":";
    append_json_string(line, message);
  }
  for (const auto& field : fields) {
    bool is_text = format_ == LogFormat::kText;
    line += is_text ? fmt::format("  {}=", field.key) : fmt::format(",\"{}\":", field.key);
    append_value(line, field, format_);
  }
  logger_->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace millrace
