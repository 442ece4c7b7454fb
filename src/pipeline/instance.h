// A data directory, and perhaps a pipeline running on it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "base/logger.h"
#include "io/clock.h"
#include "io/disk.h"
#include "log/log.h"
#include "pipeline/changes.h"
#include "pipeline/produce.h"
#include "pipeline/redrive.h"
#include "pipeline/source_ledger.h"
#include "pipeline/status.h"
#include "spec/spec.h"
#include "store/store.h"

namespace millrace::pipeline {

class Instance {
 public:
  struct Options {
    std::string data_dir;
    // Looks only: makes, repairs and locks nothing. kNotFound where there is no data directory.
    bool read_only = false;
    size_t segment_bytes = limits::kSegmentBytes;  // of the log; tests make small ones
    bool write_each_commit = false;                // of the store; for tests
    io::Disk* disk = &io::system_disk();           // outlives the instance
  };
  // Takes the data directory for this process. Errors: kConflict (in use, by which process; from a
  // newer version), kCorrupt, kIo.
  static Result<std::unique_ptr<Instance>> open(Options options, Logger& logger, io::Clock& clock);
  ~Instance();  // stops what runs

  // Makes all that start() makes, but runs none of it: redrive() then works by this file. Errors:
  // as start().
  Result<void> prepare(const spec::Pipeline& pipeline);
  // Of what is prepared, on the caller's thread, so that a test's run repeats: one run of a source,
  // or a table's until it has caught up. Errors: as of wait_until_finished().
  Result<void> run_here(std::string_view node);
  // Checks the file against the data directory, makes what is missing, starts all nodes. `once`:
  // one run of each source, then until all tables have caught up. Errors, which name the place:
  // bad SQL, a topic or table that differs from the file.
  Result<void> start(spec::Pipeline pipeline, bool once);
  // Waits until a `once` run is over, or stop is requested. The first error of a source's run.
  Result<void> wait_until_finished(std::stop_token stop);
  // Goes on with another file, by stopping, making and starting only the nodes of which it says
  // something else than before, and those that have stopped. After an error, all is as it was.
  // One thread at a time, and not while another is in start() or stop(). Errors: as start();
  // kUnsupported in a `once` run.
  Result<Changes> change(spec::Pipeline pipeline);
  // Asks every node to stop at the next whole page or batch, waits for them, makes the store's
  // memory durable. Tables first take what is in their topics, as far as that is done within
  // `drain`. Nothing is lost without it; the next start is quicker with it.
  Result<void> stop(std::chrono::milliseconds drain = {});
  // What stop() still waits for.
  std::vector<std::string> unfinished() const;

  Status status() const;

  // Whether the pipeline that runs or is prepared has this source or table. Errors: kNotFound, with
  // the nearest name.
  Result<void> check_node(std::string_view node) const;
  // Takes dead letters of a node (redrive.h chooses them).
  Result<Redriven> redrive(std::string_view node, std::span<const DeadLetter> letters);
  // Appends records that are put in by hand (produce.h chooses the topic).
  Result<Produced> produce(log::Topic& topic, const Lines& lines);
  // Reads a value that stands in a file. Errors: kNotFound, kIo.
  Result<void> load_value(DeadLetter& letter) const;
  // Of a source, for the topic that it feeds; at rest, for each that it ever fed.
  Result<std::vector<SourceLetters>> source_letters(std::string_view source) const;

  const std::string& data_dir() const;
  log::Log& log();
  store::Store& store();
  io::Clock& clock();

 private:
  class Impl;
  explicit Instance(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::pipeline
