#include "pipeline/nodes.h"

#include <algorithm>
#include <utility>

#include "table/table_definition.h"
#include "topic/topic_definition.h"

namespace millrace::pipeline {
namespace {

std::string name_of(const SourcePlan& plan) {
  return plan.spec.name;
}
std::string name_of(const TablePlan& plan) {
  return plan.spec.full_name();
}

template <class NodePlan>
std::vector<std::string> names_of(const std::vector<NodePlan>& plans) {
  std::vector<std::string> names;
  for (const auto& plan : plans) names.push_back(name_of(plan));
  return names;
}

// Whether a node of the one plan does what one of the other would. All else of a plan is made from
// these two.
template <class NodePlan>
bool says_the_same(const NodePlan& a, const NodePlan& b) {
  return a.spec == b.spec && a.topic.name == b.topic.name &&
         topic::to_metadata(a.topic) == topic::to_metadata(b.topic);
}

bool any_runs(const auto& list) {
  return std::ranges::any_of(list, [](const auto& node) { return node->runs.load(); });
}

auto* find_loop(const auto& list, std::string_view name) {
  auto found = std::ranges::find(list, name, [](const auto& node) { return node->loop->name(); });
  return found == list.end() ? nullptr : (*found)->loop.get();
}

}  // namespace

Result<void> Nodes::check(const Plan& plan) const {
  for (const auto& source : plan.sources) {
    auto name = "source " + name_of(source);
    MR_TRY_IN(topic::check_topic(around_.log, source.topic), name);
    auto* topic = around_.log.find_topic(source.topic.name);
    if (topic == nullptr) continue;
    MR_TRY_IN(cursor_of(source.spec.name, *topic, around_.cursor_folder), name);
  }
  for (const auto& table : plan.tables) {
    auto name = "table " + name_of(table);
    MR_TRY_IN(topic::check_topic(around_.log, table.topic), name);
    MR_TRY_IN(table::check_table(around_.store, table.definition), name);
  }
  return {};
}

Result<std::unique_ptr<IngestLoop>> Nodes::make_source(SourcePlan plan) const {
  auto* topic = MR_TRY(topic::open_topic(around_.log, plan.topic));
  auto loop = std::make_unique<IngestLoop>(std::move(plan), around_.log, *topic,
                                           around_.cursor_folder, around_.logger, around_.clock);
  MR_TRY(loop->recover());
  return loop;
}

Result<std::unique_ptr<TableLoop>> Nodes::make_table(TablePlan plan) const {
  auto* topic = MR_TRY(topic::open_topic(around_.log, plan.topic));
  auto table = MR_TRY(table::open_table(around_.store, plan.definition));
  auto loop = std::make_unique<TableLoop>(std::move(plan), around_.log, *topic, around_.store,
                                          table, around_.logger, around_.clock);
  MR_TRY(loop->recover());
  return loop;
}

template <class Loop, class NodePlan>
Nodes::Node<Loop>* Nodes::find_same(const List<Loop>& list, const NodePlan& plan) {
  auto found = std::ranges::find_if(list, [&](const auto& node) {
    return node->runs && says_the_same(node->loop->plan(), plan);
  });
  return found == list.end() ? nullptr : found->get();
}

Result<Nodes::Lists> Nodes::make_missing(Plan plan) const {
  Lists made;
  for (auto& source : plan.sources) {
    auto& node = made.sources.emplace_back();
    if (find_same(nodes_.sources, source) != nullptr) continue;
    auto name = "source " + name_of(source);
    node = std::make_unique<Node<IngestLoop>>();
    node->loop = MR_TRY_IN(make_source(std::move(source)), name);
  }
  for (auto& table : plan.tables) {
    auto& node = made.tables.emplace_back();
    if (find_same(nodes_.tables, table) != nullptr) continue;
    auto name = "table " + name_of(table);
    node = std::make_unique<Node<TableLoop>>();
    node->loop = MR_TRY_IN(make_table(std::move(table)), name);
  }
  return made;
}

Result<void> Nodes::make(Plan plan) {
  nodes_ = MR_TRY(make_missing(std::move(plan)));
  return {};
}

template <class Loop>
void Nodes::start(Node<Loop>& node, std::function<Result<void>(Loop&, std::stop_token)> run) {
  node.runs = true;
  node.thread = std::jthread([this, &node, run = std::move(run)](std::stop_token stop) {
    auto ran = run(*node.loop, std::move(stop));
    std::scoped_lock lock(mutex_);
    if (!ran && !first_error_) first_error_ = std::move(ran).error();
    node.runs = false;
    ended_.notify_all();
  });
}

void Nodes::start_source(Node<IngestLoop>& node, bool once) {
  start<IngestLoop>(node, [once](IngestLoop& loop, std::stop_token stop) {
    return loop.run(once, std::move(stop));
  });
}

void Nodes::start_table(Node<TableLoop>& node) {
  start<TableLoop>(node,
                   [](TableLoop& loop, std::stop_token stop) { return loop.run(std::move(stop)); });
}

void Nodes::run(bool once) {
  for (auto& source : nodes_.sources) start_source(*source, once);
  for (auto& table : nodes_.tables) start_table(*table);
}

// `made`: in step with the names, nullptr for those of `list` that go on.
template <class Loop>
void Nodes::replace(List<Loop>& list, List<Loop> made, const std::vector<std::string>& names,
                    Changes& changes) {
  auto find = [&](const std::string& name) {
    return std::ranges::find_if(
        list, [&](const auto& node) { return node != nullptr && node->loop->name() == name; });
  };
  for (const auto& node : list)
    if (std::ranges::find(names, node->loop->name()) == names.end())
      changes.stopped.push_back(node->loop->name());
  for (size_t i = 0; i < names.size(); ++i) {
    auto old = find(names[i]);
    if (made[i] == nullptr) {
      made[i] = std::move(*old);
      ++changes.unchanged;
    } else {
      (old == list.end() ? changes.started : changes.restarted).push_back(names[i]);
    }
  }
  list = std::move(made);
}

Result<Changes> Nodes::change(Plan plan) {
  std::vector<Node<IngestLoop>*> sources;
  std::vector<Node<TableLoop>*> tables;
  auto collect = [](const auto& list, const auto& plans, auto& differing) {
    for (const auto& node : list) {
      bool goes_on = std::ranges::any_of(
          plans, [&](const auto& one) { return find_same(list, one) == node.get(); });
      if (node->runs && !goes_on) differing.push_back(node.get());
    }
  };
  collect(nodes_.sources, plan.sources, sources);
  collect(nodes_.tables, plan.tables, tables);
  for (auto* source : sources) source->thread.request_stop();
  for (auto* table : tables) table->thread.request_stop();
  for (auto* source : sources) source->thread.join();
  for (auto* table : tables) table->thread.join();

  auto source_names = names_of(plan.sources);
  auto table_names = names_of(plan.tables);
  auto made = make_missing(std::move(plan));
  if (!made) {
    for (auto* source : sources) start_source(*source, false);
    for (auto* table : tables) start_table(*table);
    return std::unexpected(std::move(made).error());
  }
  Changes changes;
  replace(nodes_.sources, std::move(made->sources), source_names, changes);
  replace(nodes_.tables, std::move(made->tables), table_names, changes);
  for (auto& source : nodes_.sources)
    if (!source->thread.joinable()) start_source(*source, false);
  for (auto& table : nodes_.tables)
    if (!table->thread.joinable()) start_table(*table);
  return changes;
}

Result<void> Nodes::wait_until_finished(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (ended_.wait(lock, stop, [&] { return !any_runs(nodes_.sources); })) {
    for (auto& table : nodes_.tables) table->loop->finish_when_caught_up();
    ended_.wait(lock, stop, [&] { return !any_runs(nodes_.tables); });
  }
  if (first_error_) return std::unexpected(*first_error_);
  return {};
}

void Nodes::stop(std::chrono::milliseconds drain) {
  for (auto& source : nodes_.sources) source->thread.request_stop();
  for (auto& source : nodes_.sources)
    if (source->thread.joinable()) source->thread.join();
  if (drain.count() > 0) {
    for (auto& table : nodes_.tables) table->loop->finish_when_caught_up();
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, std::stop_token(), drain, [&] { return !any_runs(nodes_.tables); });
  }
  for (auto& table : nodes_.tables) table->thread.request_stop();
  for (auto& table : nodes_.tables)
    if (table->thread.joinable()) table->thread.join();
}

std::vector<std::string> Nodes::running() const {
  std::vector<std::string> names;
  for (const auto& source : nodes_.sources)
    if (source->runs) names.push_back(source->loop->name());
  for (const auto& table : nodes_.tables)
    if (table->runs) names.push_back(table->loop->name());
  return names;
}

IngestLoop* Nodes::find_source(std::string_view name) const {
  return find_loop(nodes_.sources, name);
}
TableLoop* Nodes::find_table(std::string_view name) const {
  return find_loop(nodes_.tables, name);
}

std::vector<IngestLoop*> Nodes::sources() const {
  std::vector<IngestLoop*> loops;
  for (const auto& node : nodes_.sources) loops.push_back(node->loop.get());
  return loops;
}
std::vector<TableLoop*> Nodes::tables() const {
  std::vector<TableLoop*> loops;
  for (const auto& node : nodes_.tables) loops.push_back(node->loop.get());
  return loops;
}

}  // namespace millrace::pipeline
