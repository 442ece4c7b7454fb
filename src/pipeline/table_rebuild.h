// Emptying tables of a data directory at rest, so that the next run reads their topics again.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/logger.h"
#include "io/clock.h"
#include "pipeline/data_directory.h"
#include "store/store.h"

namespace millrace::pipeline {

// Dead letters that are open now are known again when their records are refused once more; those
// that were redriven are judged anew. No process has the data directory, and this one holds its
// lock.
class TableRebuild {
 public:
  // `table`: keyspace.table; "": all of them, by removing the store, which may be damaged. Errors:
  // kNotFound, with the nearest name; kCorrupt, kIo.
  static Result<TableRebuild> plan(const DataDirectory& directory, std::string_view table,
                                   Logger& logger, io::Clock& clock);

  const std::vector<std::string>& words() const { return words_; }
  // Durable when it returns.
  Result<void> carry_out();

 private:
  explicit TableRebuild(const DataDirectory& directory) : directory_(directory) {}

  DataDirectory directory_;
  std::vector<std::string> words_;
  std::unique_ptr<store::Store> store_;
  store::TablePtr table_;  // nullptr: all
};

}  // namespace millrace::pipeline
