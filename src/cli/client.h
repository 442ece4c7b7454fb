// How a command reaches a data directory.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "spec/spec.h"

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
  // To change what is there: where no pipeline runs, by the pipeline that `load` gives. Errors: as
  // above, and those of `load`.
  static Result<Client> open_to_change(const std::string& data_dir, std::string_view version,
                                       const std::function<Result<spec::Pipeline>()>& load);
  // To put records into topics, which takes no pipeline file. Errors: as open().
  static Result<Client> open_to_produce(const std::string& data_dir, std::string_view version);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  bool is_live() const;  // whether a pipeline runs there

  // Errors: those of the API; kUnavailable when the process is gone.
  Result<Answer> get(const std::string& target);
  Result<Answer> post(const std::string& target, std::string body);
  // Before it ends: what was changed is on disk. Where a pipeline runs it sees to that itself.
  Result<void> close();

 private:
  class Way;
  class Socket;
  class AtRest;
  explicit Client(std::unique_ptr<Way> way);
  // `opened` gets the data directory that no pipeline runs on; it is there, or not made here.
  static Result<Client> open_writable(const std::string& data_dir, std::string_view version,
                                      AtRest*& opened);
  // `open_at_rest` opens the data directory where no process answers.
  static Result<Client> open_by(const std::string& data_dir,
                                const std::function<Result<std::unique_ptr<Way>>()>& open_at_rest);
  std::unique_ptr<Way> way_;
};

}  // namespace millrace::cli
