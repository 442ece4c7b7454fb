// How a command reaches a data directory.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace millrace::cli {

// An answer's JSON, with what JsonSlicer needs behind it.
class Answer {
 public:
  explicit Answer(std::string json);
  std::string_view json() const { return std::string_view(bytes_).substr(0, size_); }

 private:
  std::string bytes_;
  size_t size_;
};

// Asks the process that runs a pipeline on the data directory, over its socket; where there is
// none, looks into the directory itself. The same requests and answers either way.
class Client {
 public:
  // Errors: kNotFound (no data directory), kIo, kConflict.
  static Result<Client> open(const std::string& data_dir, std::string_view version);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  bool is_live() const;  // whether a pipeline runs there

  // Errors: those of the API; kUnavailable when the process is gone.
  Result<Answer> get(const std::string& target);
  Result<Answer> post(const std::string& target, std::string body);

 private:
  class Way;
  class Socket;
  class AtRest;
  explicit Client(std::unique_ptr<Way> way);
  std::unique_ptr<Way> way_;
};

}  // namespace millrace::cli
