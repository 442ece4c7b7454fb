// Which of a source's dead letters were redriven.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/error.h"
#include "log/log.h"
#include "pipeline/dead_letters.h"
#include "pipeline/source_cursor.h"

namespace millrace::pipeline {

// Offsets, kept as ranges.
class OffsetSet {
 public:
  void add(int64_t offset);
  void add(const OffsetSet& other);
  bool contains(int64_t offset) const { return next_absent(offset) != offset; }
  // The first at or after `from` that is not in the set.
  int64_t next_absent(int64_t from) const;
  int64_t size() const;
  // Keeps those before `end`.
  void cut(int64_t end);

  // [[first,last],…]
  nlohmann::ordered_json to_json() const;
  // False where it is no such array.
  bool parse(const nlohmann::ordered_json& json);

 private:
  void add_range(int64_t first, int64_t last);
  std::map<int64_t, int64_t> ranges_;  // first -> last
};

// The dead letters of a source that the pages of its topic account for: of those before `end` in
// partition 0 of the dead-letter topic, the ones of pages that fed this topic.
struct SourceLetters {
  OffsetSet redriven;
  std::string topic_id;
  int64_t end = 0;

  bool is_open(const DeadLetter& letter) const {
    return letter.fed == topic_id && letter.offset < end && !redriven.contains(letter.offset);
  }
};

// The set of a source's redriven dead letters, in the file TOPIC.redriven beside the cursors. A
// redrive becomes true with the page that it appends, whose cursor counts all redriven so far: the
// file names the letters before, as the newest, and they are in the set where the cursor has come
// to the count that the file gives for them. So a crash at any point leaves both as before or as
// after.
class SourceLedger {
 public:
  // `redriven`: as the source's cursor counts them. Errors: kCorrupt (the two do not belong
  // together), kIo.
  static Result<SourceLedger> load(const CursorFolder& folder, const log::Topic& topic,
                                   int64_t redriven);

  // The file as it has to be for a topic that is cut, so that its source's cursor counts `redriven`
  // and its dead letters end at `letters_end`; nullopt: as it is. Errors: kCorrupt, kIo;
  // kUnsupported: which ones the pages redrove that stay is not known.
  struct File {
    std::string path;
    std::string text;
  };
  static Result<std::optional<File>> after_cut(const CursorFolder& folder, const std::string& topic,
                                               const std::string& topic_id, int64_t redriven,
                                               int64_t letters_end);

  const OffsetSet& redriven() const { return redriven_; }
  // Names the letters of the next page; durable when it returns. Replaces what was named before
  // and did not come true.
  Result<void> name(const OffsetSet& letters);
  // The page that redrives these letters is in the topic.
  void came_true(const OffsetSet& letters) { redriven_.add(letters); }

 private:
  CursorFolder folder_;
  std::string path_;
  std::string topic_id_;
  OffsetSet redriven_;
};

}  // namespace millrace::pipeline
