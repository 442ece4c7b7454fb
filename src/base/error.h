// Errors as values: what was being done, with what, what went wrong, what to do about it.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

enum class ErrorCode : uint8_t {
  kInvalid,      // the caller's input is wrong: a file, an argument, a record
  kNotFound,     // the thing named does not exist
  kConflict,     // it exists already, differs from what is asked, or is in use
  kCorrupt,      // bytes on disk or wire are not what their checksum or format says
  kIo,           // the operating system refused: disk full, permission, broken device
  kUnavailable,  // a peer is gone or says 'later'; trying again may help
  kLimit,        // a documented limit was passed
  kUnsupported,  // understood, but not something this version does
  kCancelled,    // asked to stop
};

std::string_view to_string(ErrorCode code);

// One failure. The text is written for the person who will read it, in one sentence or two.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same error with "CONTEXT: " before its text.
  Error within(std::string_view context) && {
    return {code_, fmt::format("{}: {}", context, message_)};
  }

 private:
  ErrorCode code_;
  std::string message_;
};

template <class T = void>
using Result = std::expected<T, Error>;

// std::unexpected with a formatted message: return fail(ErrorCode::kIo, "cannot open {}", path);
template <class... Args>
std::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error(code, fmt::format(format, std::forward<Args>(args)...)));
}

// The text of an errno value ("No space left on device").
std::string errno_text(int error_number);

namespace internal {
template <class T>
T unwrap(Result<T>&& result) {
  return *std::move(result);
}
inline void unwrap(Result<>&&) {}
}  // namespace internal

// The value of a Result, or return its error from the calling function:
//   auto file = MR_TRY(File::open(path));
// MR_TRY_IN also says what was being done: MR_TRY_IN(file.read(), "loading the catalog").
#define MR_TRY(expression)                                   \
  __extension__({                                            \
    auto mr_result_ = (expression);                          \
    if (!mr_result_) [[unlikely]]                            \
      return std::unexpected(std::move(mr_result_).error()); \
    ::millrace::internal::unwrap(std::move(mr_result_));     \
  })
#define MR_TRY_IN(expression, context)                                       \
  __extension__({                                                            \
    auto mr_result_ = (expression);                                          \
    if (!mr_result_) [[unlikely]]                                            \
      return std::unexpected(std::move(mr_result_).error().within(context)); \
    ::millrace::internal::unwrap(std::move(mr_result_));                     \
  })

}  // namespace millrace
