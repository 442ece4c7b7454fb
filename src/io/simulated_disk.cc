#include "io/simulated_disk.h"

#include <algorithm>
#include <cerrno>
#include <functional>

namespace millrace::io {
namespace {

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  for (size_t from = 0; from < path.size();) {
    size_t slash = std::min(path.find('/', from), path.size());
    auto part = path.substr(from, slash - from);
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
    from = slash + 1;
  }
  return parts;
}

std::string name_of(const std::string& path) {
  auto parts = parts_of(path);
  return parts.empty() ? "" : parts.back();
}

}  // namespace

class SimulatedDisk::Handle final : public OpenFile {
 public:
  Handle(SimulatedDisk& disk, std::shared_ptr<SimulatedFile> file, std::string path,
         File::Mode mode, uint64_t life)
      : disk_(disk),
        file_(std::move(file)),
        path_(std::move(path)),
        writable_(mode != File::Mode::kRead),
        life_(life) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() override {
    std::lock_guard lock(disk_.mutex_);
    if (has_lock_ && life_ == disk_.life_) file_->locked = false;
  }

  Call<size_t> read(uint64_t position, char* to, size_t size) override {
    return call<size_t>(Doing::kRead, [&]() -> Call<size_t> {
      return file_->bytes().read(position, to, in_part(Doing::kRead, size));
    });
  }

  Call<size_t> write(uint64_t position, std::string_view front, std::string_view rest) override {
    return call<size_t>(Doing::kWrite, [&]() -> Call<size_t> {
      if (!writable_) return std::unexpected(EBADF);
      std::string bytes(front);
      bytes += rest;
      bytes.resize(in_part(Doing::kWrite, bytes.size()));
      if (position + bytes.size() > file_->space()) {
        uint64_t most = file_->space() + disk_.free_space();
        if (position >= most) return std::unexpected(ENOSPC);
        bytes.resize(static_cast<size_t>(std::min<uint64_t>(bytes.size(), most - position)));
      }
      file_->write(position, bytes);
      return bytes.size();
    });
  }

  Call<> sync_data() override {
    bool failed = true;
    auto synced = call<void>(Doing::kSync, [&]() -> Call<> {
      failed = false;
      file_->sync();
      return {};
    });
    std::lock_guard lock(disk_.mutex_);
    if (failed && !disk_.dead_ && life_ == disk_.life_) file_->fail_sync(disk_.random_);
    return synced;
  }

  Call<> allocate(uint64_t size) override {
    return call<void>(Doing::kMake, [&]() -> Call<> {
      if (size > file_->space() && size - file_->space() > disk_.free_space())
        return std::unexpected(ENOSPC);
      file_->allocate(std::max(size, file_->bytes().size()));
      return {};
    });
  }

  Call<> truncate(uint64_t size) override {
    return call<void>(Doing::kChange, [&]() -> Call<> {
      if (!writable_) return std::unexpected(EINVAL);
      file_->resize(size);
      return {};
    });
  }

  Call<uint64_t> size() override {
    return call<uint64_t>(Doing::kLook, [&]() -> Call<uint64_t> { return file_->bytes().size(); });
  }

  Call<std::optional<uint64_t>> next_data(uint64_t position) override {
    using Found = std::optional<uint64_t>;
    return call<Found>(Doing::kLook,
                       [&]() -> Call<Found> { return file_->bytes().next_data(position); });
  }

  Call<bool> try_lock() override {
    return call<bool>(Doing::kLook, [&]() -> Call<bool> {
      if (file_->locked) return has_lock_;
      return file_->locked = has_lock_ = true;
    });
  }

 private:
  template <class T, class Act>
  Call<T> call(Doing doing, Act&& act) {
    return disk_.call<T>(doing, path_, [&]() -> Call<T> {
      if (life_ != disk_.life_) return std::unexpected(EIO);
      return act();
    });
  }
  size_t in_part(Doing doing, size_t size) {
    if (size < 2 || !disk_.take_fault(doing, Fault::kShort)) return size;
    return 1 + static_cast<size_t>(disk_.random_() % (size - 1));
  }

  SimulatedDisk& disk_;
  const std::shared_ptr<SimulatedFile> file_;
  const std::string path_;
  const bool writable_;
  const uint64_t life_;
  bool has_lock_ = false;
};

void SimulatedDisk::Folder::apply(const NameChange& change, Names& to) {
  if (!change.removed.empty()) to.erase(change.removed);
  if (!change.made.empty()) to[change.made] = change.node;
}

void SimulatedDisk::Folder::change(NameChange change) {
  apply(change, now);
  changes.push_back(std::move(change));
}

void SimulatedDisk::Folder::crash(std::mt19937_64& random) {
  changes.resize(random() % (changes.size() + 1));
  for (const auto& kept : changes) apply(kept, durable);
  changes.clear();
  now = durable;
  for (auto& [name, node] : now) {
    if (node.file) node.file->crash(random);
    if (node.folder) node.folder->crash(random);
  }
}

bool SimulatedDisk::can_have(Doing doing, Fault fault) {
  switch (fault) {
    case Fault::kNoSpace:
      return doing == Doing::kWrite || doing == Doing::kMake;
    case Fault::kShort:
      return doing == Doing::kWrite || doing == Doing::kRead;
    case Fault::kError:
    case Fault::kDeath:
      return true;
  }
  return false;
}

bool SimulatedDisk::take_fault(Doing doing, Fault fault) {
  if (!can_have(doing, fault)) return false;
  auto due = std::ranges::find_if(planned_, [&](const Planned& planned) {
    return planned.fault == fault && planned.call <= calls_;
  });
  if (due == planned_.end()) return false;
  planned_.erase(due);
  return true;
}

template <class T, class Act>
Call<T> SimulatedDisk::call(Doing doing, const std::string& path, Act&& act) {
  std::lock_guard lock(mutex_);
  if (dead_) return std::unexpected(EIO);
  ++calls_;
  trace_ =
      (trace_ ^ std::hash<std::string>()(path) ^ static_cast<uint64_t>(doing)) * 0x9e3779b97f4a7c15;
  if (take_fault(doing, Fault::kError)) return std::unexpected(EIO);
  if (take_fault(doing, Fault::kNoSpace)) return std::unexpected(ENOSPC);
  if (take_fault(doing, Fault::kDeath)) {
    if (random_() % 2 == 0) (void)act();
    dead_ = true;
    return std::unexpected(EIO);
  }
  return act();
}

void SimulatedDisk::plan(uint64_t call, Fault fault) {
  std::lock_guard lock(mutex_);
  planned_.push_back({calls_ + call, fault});
}

void SimulatedDisk::forget_plan() {
  std::lock_guard lock(mutex_);
  planned_.clear();
}

void SimulatedDisk::keep_append_order(std::string folder) {
  std::lock_guard lock(mutex_);
  append_order_folder_ = std::move(folder);
}

void SimulatedDisk::set_capacity(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  capacity_ = bytes;
}

bool SimulatedDisk::is_dead() const {
  std::lock_guard lock(mutex_);
  return dead_;
}

uint64_t SimulatedDisk::call_count() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

uint64_t SimulatedDisk::trace() const {
  std::lock_guard lock(mutex_);
  return trace_;
}

void SimulatedDisk::restart_process() {
  std::lock_guard lock(mutex_);
  std::function<void(const Names&)> unlock = [&](const Names& names) {
    for (const auto& [name, node] : names) {
      if (node.file) node.file->locked = false;
      if (node.folder) unlock(node.folder->now);
    }
  };
  unlock(root_->now);
  planned_.clear();
  ++life_;
  dead_ = false;
}

void SimulatedDisk::crash() {
  restart_process();
  std::lock_guard lock(mutex_);
  root_->crash(random_);
}

uint64_t SimulatedDisk::free_space() const {
  if (capacity_ == UINT64_MAX) return capacity_ / 2;
  uint64_t used = 0;
  std::function<void(const Names&)> add = [&](const Names& names) {
    for (const auto& [name, node] : names) {
      if (node.file) used += node.file->space();
      if (node.folder) add(node.folder->now);
    }
  };
  add(root_->now);
  return capacity_ - std::min(used, capacity_);
}

Call<std::shared_ptr<SimulatedDisk::Folder>> SimulatedDisk::folder_of(
    const std::string& path) const {
  auto parts = parts_of(path);
  auto folder = root_;
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    auto found = folder->now.find(parts[i]);
    if (found == folder->now.end()) return std::unexpected(ENOENT);
    folder = found->second.folder;
    if (!folder) return std::unexpected(ENOTDIR);
  }
  return folder;
}

Call<SimulatedDisk::Node> SimulatedDisk::node_at(const std::string& path) const {
  auto name = name_of(path);
  if (path.empty()) return std::unexpected(ENOENT);
  if (name.empty()) return Node{.file = nullptr, .folder = root_};
  auto folder = folder_of(path);
  if (!folder) return std::unexpected(folder.error());
  auto found = (*folder)->now.find(name);
  if (found == (*folder)->now.end()) return std::unexpected(ENOENT);
  return found->second;
}

Call<std::shared_ptr<SimulatedFile>> SimulatedDisk::open_node(const std::string& path,
                                                              File::Mode mode) {
  auto node = node_at(path);
  bool makes = mode == File::Mode::kCreate || mode == File::Mode::kOpenOrCreate;
  if (node) {
    if (!node->file) return std::unexpected(EISDIR);
    if (mode == File::Mode::kCreate) node->file->resize(0);
    return node->file;
  }
  if (!makes || node.error() != ENOENT) return std::unexpected(node.error());
  auto folder = folder_of(path);
  if (!folder) return std::unexpected(folder.error());
  auto file = std::make_shared<SimulatedFile>();
  file->keeps_append_order = parent_of(path) == append_order_folder_;
  (*folder)->change({.removed = {}, .made = name_of(path), .node = {.file = file, .folder = {}}});
  return file;
}

Call<std::unique_ptr<OpenFile>> SimulatedDisk::call_open(const std::string& path, File::Mode mode) {
  using Found = std::shared_ptr<SimulatedFile>;
  bool makes = mode == File::Mode::kCreate || mode == File::Mode::kOpenOrCreate;
  uint64_t life = 0;
  auto file = call<Found>(makes ? Doing::kMake : Doing::kLook, path, [&] {
    life = life_;
    return open_node(path, mode);
  });
  if (!file) return std::unexpected(file.error());
  return std::make_unique<Handle>(*this, *std::move(file), path, mode, life);
}

Call<> SimulatedDisk::call_make_directory(const std::string& path) {
  return call<void>(Doing::kMake, path, [&]() -> Call<> {
    auto there = node_at(path);
    if (there) return std::unexpected(EEXIST);
    if (path.empty() || there.error() != ENOENT) return std::unexpected(there.error());
    auto folder = folder_of(path);
    if (!folder) return std::unexpected(folder.error());
    Node made{.file = {}, .folder = std::make_shared<Folder>()};
    (*folder)->change({.removed = {}, .made = name_of(path), .node = std::move(made)});
    return {};
  });
}

Call<> SimulatedDisk::call_sync_directory(const std::string& path) {
  return call<void>(Doing::kSync, path, [&]() -> Call<> {
    auto node = node_at(path);
    if (!node) return std::unexpected(node.error());
    if (!node->folder) return std::unexpected(ENOTDIR);
    node->folder->durable = node->folder->now;
    node->folder->changes.clear();
    return {};
  });
}

Call<std::vector<std::string>> SimulatedDisk::call_list(const std::string& path) {
  using Listed = std::vector<std::string>;
  return call<Listed>(Doing::kLook, path, [&]() -> Call<Listed> {
    auto node = node_at(path);
    if (!node) return std::unexpected(node.error());
    if (!node->folder) return std::unexpected(ENOTDIR);
    Listed names;
    for (const auto& [name, child] : node->folder->now) names.push_back(name);
    return names;
  });
}

Call<Disk::Kind> SimulatedDisk::call_kind(const std::string& path) {
  return call<Kind>(Doing::kLook, path, [&]() -> Call<Kind> {
    auto node = node_at(path);
    if (!node) return std::unexpected(node.error());
    return node->folder ? Kind::kFolder : Kind::kFile;
  });
}

Call<> SimulatedDisk::remove_node(const std::string& path, bool is_folder) {
  auto node = node_at(path);
  if (!node) return std::unexpected(node.error());
  if (node->folder && !is_folder) return std::unexpected(EISDIR);
  if (node->file && is_folder) return std::unexpected(ENOTDIR);
  if (is_folder && !node->folder->now.empty()) return std::unexpected(ENOTEMPTY);
  auto folder = folder_of(path);
  (*folder)->change({.removed = name_of(path), .made = {}, .node = {}});
  return {};
}

Call<> SimulatedDisk::call_remove_file(const std::string& path) {
  return call<void>(Doing::kChange, path, [&] { return remove_node(path, false); });
}

Call<> SimulatedDisk::call_remove_directory(const std::string& path) {
  return call<void>(Doing::kChange, path, [&] { return remove_node(path, true); });
}

Call<> SimulatedDisk::call_rename(const std::string& from, const std::string& to) {
  return call<void>(Doing::kChange, from, [&]() -> Call<> {
    auto node = node_at(from);
    if (!node) return std::unexpected(node.error());
    auto source = folder_of(from);
    auto target = folder_of(to);
    if (!target) return std::unexpected(target.error());
    if (*source != *target) return std::unexpected(EXDEV);
    auto there = node_at(to);
    if (there && there->folder && node->file) return std::unexpected(EISDIR);
    if (there && there->file && node->folder) return std::unexpected(ENOTDIR);
    if (there && there->folder && !there->folder->now.empty()) return std::unexpected(ENOTEMPTY);
    if (name_of(from) == name_of(to)) return {};
    (*source)->change({.removed = name_of(from), .made = name_of(to), .node = *std::move(node)});
    return {};
  });
}

}  // namespace millrace::io
