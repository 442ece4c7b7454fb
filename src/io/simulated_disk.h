// A disk in memory, for tests: what was not synced may be lost at a crash, and calls fail as told.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "io/disk.h"
#include "io/simulated_file.h"

namespace millrace::io {

// Everything that happens by chance comes from the seed: the same calls in the same order give the
// same disk. A crash leaves of
// - bytes and sizes: what SimulatedFile::crash() says; sync_data() makes a file's all durable;
// - names: in each folder, the first so many of the changes made since its sync_directory().
// Renames stay within a folder (EXDEV). Outlives the files that are open on it.
class SimulatedDisk final : public Disk {
 public:
  explicit SimulatedDisk(uint64_t seed) : random_(seed) {}

  enum class Fault : uint8_t {
    kError,    // EIO; of a sync, see SimulatedFile::fail_sync()
    kNoSpace,  // ENOSPC, of a call that wants space
    kShort,    // a read or write does a part only
    kDeath,    // the process dies: the call may have been done or not, all after it fail
  };
  // `call`: 1 is the next. The fault comes with that call or the first after it that can have it.
  void plan(uint64_t call, Fault fault);
  void forget_plan();
  // Of the files in this folder a crash leaves, of what made them longer, a part from the front: a
  // file becomes longer only once the new bytes are on the disk, as with ext4 (data=ordered) and
  // XFS. RocksDB relies on that.
  void keep_append_order(std::string folder);
  // Bytes for all files together; no limit to begin with.
  void set_capacity(uint64_t bytes);
  bool is_dead() const;

  // The process has ended and another begins: what was open is dead. Nothing else is lost, and
  // nothing else is durable.
  void restart_process();
  // The same of the whole machine: what was not durable is lost, at random.
  void crash();

  uint64_t call_count() const;
  // Equal for two runs that made the same calls.
  uint64_t trace() const;

 private:
  class Handle;
  struct Folder;
  // What a name stands for: one of the two.
  struct Node {
    std::shared_ptr<SimulatedFile> file;
    std::shared_ptr<Folder> folder;
  };
  using Names = std::map<std::string, Node>;
  struct NameChange {
    std::string removed;  // empty: none
    std::string made;     // likewise; both are one change: a rename
    Node node;            // of `made`
  };
  struct Folder {
    Names now;
    Names durable;
    std::vector<NameChange> changes;  // of now since durable
    void change(NameChange change);
    static void apply(const NameChange& change, Names& to);
    void crash(std::mt19937_64& random);
  };
  struct Planned {
    uint64_t call;
    Fault fault;
  };
  // What a call does, as far as faults tell them apart.
  enum class Doing : uint8_t { kLook, kRead, kWrite, kMake, kChange, kSync };
  static bool can_have(Doing doing, Fault fault);

  Call<std::unique_ptr<OpenFile>> call_open(const std::string& path, File::Mode mode) override;
  Call<> call_make_directory(const std::string& path) override;
  Call<> call_sync_directory(const std::string& path) override;
  Call<std::vector<std::string>> call_list(const std::string& path) override;
  Call<Kind> call_kind(const std::string& path) override;
  Call<> call_remove_file(const std::string& path) override;
  Call<> call_remove_directory(const std::string& path) override;
  Call<> call_rename(const std::string& from, const std::string& to) override;

  // One call: counts it, lets it fail if that is planned, otherwise does `act` under the lock.
  template <class T, class Act>
  Call<T> call(Doing doing, const std::string& path, Act&& act);
  bool take_fault(Doing doing, Fault fault);
  Call<std::shared_ptr<Folder>> folder_of(const std::string& path) const;  // the one above `path`
  Call<Node> node_at(const std::string& path) const;
  Call<std::shared_ptr<SimulatedFile>> open_node(const std::string& path, File::Mode mode);
  Call<> remove_node(const std::string& path, bool is_folder);
  uint64_t free_space() const;

  mutable std::mutex mutex_;
  std::mt19937_64 random_;
  std::shared_ptr<Folder> root_ = std::make_shared<Folder>();
  std::vector<Planned> planned_;
  std::optional<std::string> append_order_folder_;
  uint64_t capacity_ = UINT64_MAX;
  uint64_t calls_ = 0;
  uint64_t trace_ = 0;
  uint64_t life_ = 0;  // how many processes there were before this one
  bool dead_ = false;
};

}  // namespace millrace::io
