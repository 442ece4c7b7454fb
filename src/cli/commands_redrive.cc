// dlq redrive: dead letters are taken again, by what the pipeline's file says now.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_text.h"
#include "cli/live_view.h"
#include "cli/status_text.h"
#include "door/http/target.h"
#include "io/io.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kTarget = "/v1/dead-letters/redrive";
// Addresses of one request.
constexpr size_t kAddresses = 500;
// Letters still failing that are shown with their errors.
constexpr int64_t kExamples = 10;

struct Wish {
  std::vector<std::string> addresses;
  std::string node;
  std::string rule;
  std::string stage;
  bool all = false;
  std::string value;  // a file, or "-"
  std::string file;

  bool has_filter() const { return all || !node.empty() || !rule.empty() || !stage.empty(); }
};

Result<void> check(const Wish& wish) {
  if (wish.addresses.empty() != wish.has_filter())
    return fail(ErrorCode::kInvalid,
                "name dead letters by their addresses (of dlq list), or many at once with --node, "
                "--rule, --stage or --all");
  if (!wish.value.empty() && wish.addresses.size() != 1)
    return fail(ErrorCode::kInvalid, "--value is for one dead letter: name its address");
  return {};
}

Result<std::string> read_value(const std::string& path) {
  std::string value;
  if (path == "-")
    value.assign(std::istreambuf_iterator<char>(std::cin), {});
  else
    value = MR_TRY(io::system_disk().read_file(path, limits::kRecordBytesMax));
  while (value.ends_with('\n')) value.pop_back();
  if (!is_utf8(value)) return fail(ErrorCode::kInvalid, "{} is no UTF-8", path);
  return value;
}

// Adds up answers, and shows how far it is.
class Progress {
 public:
  explicit Progress(Session& session) : session_(session), view_(session.err()) {}

  void expect(int64_t letters) { total_ += letters; }
  void add(const Json& answer) {
    written_ += answer.at("written").get<int64_t>();
    filtered_ += answer.at("filtered").get<int64_t>();
    not_open_ += answer.at("not_open").get<int64_t>();
    for (const auto& one : answer.at("failing"))
      if (++failing_ <= kExamples) examples_.push_back(one);
    view_.show([this](const Terminal&) { return lines(); });
  }
  bool has_any() const { return done() > 0; }
  // Returns the exit status.
  Result<int> finish();

 private:
  int64_t done() const { return written_ + filtered_ + not_open_ + failing_; }
  std::vector<std::string> lines() const {
    std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started_;
    auto rate = static_cast<double>(done()) / std::max(spent.count(), 0.001);
    return {fmt::format("{} of {}  {}", with_thousands(done()),
                        with_thousands(std::max(total_, done())), rate_text(rate))};
  }

  Session& session_;
  LiveView view_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  int64_t total_ = 0;
  int64_t written_ = 0;
  int64_t filtered_ = 0;
  int64_t not_open_ = 0;
  int64_t failing_ = 0;
  std::vector<Json> examples_;
};

Result<int> Progress::finish() {
  view_.clear();
  auto& out = session_.out();
  int status = failing_ > 0 ? 1 : 0;
  if (session_.format() == Format::kJson) {
    Json sums = {{"written", written_},
                 {"filtered", filtered_},
                 {"not_open", not_open_},
                 {"failing", failing_},
                 {"examples", examples_}};
    MR_TRY(out.write(sums.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"));
    return status;
  }
  auto text = fmt::format("{} written, {} filtered, {} still refused", with_thousands(written_),
                          with_thousands(filtered_), with_thousands(failing_));
  if (not_open_ > 0)
    text += fmt::format("; {} not open: redriven before, or taken after all",
                        with_thousands(not_open_));
  MR_TRY(out.write(text + "\n"));
  if (examples_.empty()) return status;
  std::vector<std::vector<Cell>> rows;
  for (const auto& one : examples_)
    rows.push_back(
        {{one.at("address").get<std::string>()}, {printable(one.at("error").get<std::string>())}});
  MR_TRY(out.write("\n"));
  MR_TRY(
      print_table({{"STILL REFUSED", false, true}, {"ERROR"}}, rows, out.terminal(), out.emit()));
  auto more = failing_ - static_cast<int64_t>(examples_.size());
  if (more > 0) session_.note(fmt::format("and {} more", with_thousands(more)));
  return status;
}

Result<void> redrive_addresses(Client& client, const Wish& wish, Progress& progress) {
  progress.expect(static_cast<int64_t>(wish.addresses.size()));
  for (size_t begin = 0; begin < wish.addresses.size(); begin += kAddresses) {
    auto count = std::min(kAddresses, wish.addresses.size() - begin);
    auto addresses = Json::array();
    for (size_t i = begin; i < begin + count; ++i) addresses.push_back(wish.addresses[i]);
    Json question = {{"addresses", std::move(addresses)}};
    if (!wish.value.empty()) question["value"] = MR_TRY(read_value(wish.value));
    auto answer = MR_TRY(client.post(std::string(kTarget), question.dump()));
    progress.add(Json::parse(answer.json()));
  }
  return {};
}

// The nodes that have such dead letters, and how many.
Result<std::vector<std::pair<std::string, int64_t>>> nodes_of(Client& client, const Wish& wish) {
  http::TargetBuilder target("/v1/dead-letters");
  target.parameter("limit", "1");
  if (!wish.node.empty()) target.parameter("node", wish.node);
  if (!wish.rule.empty()) target.parameter("rule", wish.rule);
  if (!wish.stage.empty()) target.parameter("stage", wish.stage);
  auto answer = MR_TRY(client.get(target.text()));
  std::vector<std::pair<std::string, int64_t>> nodes;
  auto json = Json::parse(answer.json());
  for (const auto& group : json.at("groups")) {
    auto node = group.at("node").get<std::string>();
    if (nodes.empty() || nodes.back().first != node) nodes.emplace_back(node, 0);
    nodes.back().second += group.at("open").get<int64_t>();
  }
  return nodes;
}

Result<void> redrive_many(Client& client, const Wish& wish, Progress& progress) {
  auto nodes = MR_TRY(nodes_of(client, wish));
  for (const auto& [node, count] : nodes) progress.expect(count);
  for (const auto& [node, count] : nodes) {
    Json question = {{"node", node}, {"rule", wish.rule}, {"stage", wish.stage}};
    do {
      auto answer = MR_TRY(client.post(std::string(kTarget), question.dump()));
      auto json = Json::parse(answer.json());
      progress.add(json);
      question["from"] = json.at("next");
    } while (!question["from"].is_null());
  }
  return {};
}

Result<int> redrive(Session& session, const Wish& wish) {
  MR_TRY(check(wish));
  auto client = MR_TRY(session.client_to_change(wish.file));
  if (client.is_live() && !wish.file.empty())
    return fail(ErrorCode::kInvalid,
                "a pipeline runs on {}: what was refused is taken by the file that it runs, so "
                "--file is not for here",
                session.data_dir());
  Progress progress(session);
  auto done = wish.addresses.empty() ? redrive_many(client, wish, progress)
                                     : redrive_addresses(client, wish, progress);
  auto closed = client.close();
  if (!done && !progress.has_any()) return std::unexpected(std::move(done).error());
  // What was done before an error stays done.
  auto status = progress.finish();
  MR_TRY(std::move(done));
  MR_TRY(std::move(closed));
  return status;
}

}  // namespace

void add_redrive_command(Commands& commands, CLI::App* group) {
  auto wish = std::make_shared<Wish>();
  auto* app = commands.add(group, "redrive", "Take dead letters again, by the file as it is now",
                           [wish](Session& session) { return redrive(session, *wish); });
  app->add_option("ADDRESS", wish->addresses, "NODE/PARTITION/OFFSET, as dlq list shows it");
  app->add_option("--node", wish->node, "All of this source or table, the oldest first")
      ->type_name("NODE");
  app->add_option("--rule", wish->rule, "All refused by this expectation")->type_name("RULE");
  app->add_option("--stage", wish->stage, "All refused at this stage")
      ->type_name("decode|sql|expect")
      ->check(CLI::IsMember({"decode", "sql", "expect"}).description(""));
  app->add_flag("--all", wish->all, "All there are");
  app->add_option("--value", wish->value, "With one ADDRESS: its record, edited, in this file or -")
      ->type_name("FILE");
  app->add_option("-f,--file", wish->file,
                  "Where no pipeline runs: its file; else the only one in this folder")
      ->type_name("FILE");
}

}  // namespace millrace::cli
