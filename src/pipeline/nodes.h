// The sources and tables of a pipeline, each a loop on a thread of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/logger.h"
#include "io/clock.h"
#include "log/log.h"
#include "pipeline/changes.h"
#include "pipeline/ingest_loop.h"
#include "pipeline/plan.h"
#include "pipeline/source_cursor.h"
#include "pipeline/table_loop.h"
#include "store/store.h"

namespace millrace::pipeline {

// make(), run() and change() have a Nodes to themselves; the rest from any thread.
class Nodes {
 public:
  // All outlive it; so does the engine of the plans.
  struct Surroundings {
    log::Log& log;
    store::Store& store;
    CursorFolder cursor_folder;
    Logger& logger;
    io::Clock& clock;
  };
  explicit Nodes(Surroundings surroundings) : around_(std::move(surroundings)) {}
  ~Nodes() { stop({}); }

  // Whether the data directory can take these nodes. Changes nothing. Errors: kConflict, kInvalid.
  Result<void> check(const Plan& plan) const;
  // Makes and recovers all nodes of a plan; none runs. Errors: as check(), or of the disk.
  Result<void> make(Plan plan);
  // `once`: one run of each source.
  void run(bool once);
  // Goes on with another plan, which check() has found right. Nodes that are the same in it, and
  // have not stopped by themselves, go on as if nothing had been. After an error, of the disk, the
  // nodes are what they were.
  Result<Changes> change(Plan plan);

  // Waits until each source's run is over and all tables have caught up, or stop is requested. The
  // first error of a node.
  Result<void> wait_until_finished(std::stop_token stop);
  // Ends the sources, then the tables: each at a whole page or batch, the tables once they have
  // caught up, which may take so long.
  void stop(std::chrono::milliseconds drain);
  // Nodes whose thread has not ended.
  std::vector<std::string> running() const;

  IngestLoop* find_source(std::string_view name) const;
  TableLoop* find_table(std::string_view name) const;
  std::vector<IngestLoop*> sources() const;
  std::vector<TableLoop*> tables() const;

 private:
  template <class Loop>
  struct Node {
    std::unique_ptr<Loop> loop;
    std::atomic<bool> runs = false;
    std::jthread thread;
  };
  template <class Loop>
  using List = std::vector<std::unique_ptr<Node<Loop>>>;
  struct Lists {
    List<IngestLoop> sources;
    List<TableLoop> tables;
  };

  // Makes and recovers those that have no other in nodes_ to go on for them, which are nullptr. All
  // before any runs: a table must not read what its source takes back.
  Result<Lists> make_missing(Plan plan) const;
  Result<std::unique_ptr<IngestLoop>> make_source(SourcePlan plan) const;
  Result<std::unique_ptr<TableLoop>> make_table(TablePlan plan) const;
  // The one that goes on as it is where the plan says this.
  template <class Loop, class NodePlan>
  static Node<Loop>* find_same(const List<Loop>& list, const NodePlan& plan);
  template <class Loop>
  static void replace(List<Loop>& list, List<Loop> made, const std::vector<std::string>& names,
                      Changes& changes);
  template <class Loop>
  void start(Node<Loop>& node, std::function<Result<void>(Loop&, std::stop_token)> run);
  void start_source(Node<IngestLoop>& node, bool once);
  void start_table(Node<TableLoop>& node);

  const Surroundings around_;
  Lists nodes_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any ended_;
  std::optional<Error> first_error_;
};

}  // namespace millrace::pipeline
