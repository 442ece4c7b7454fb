// topic produce: puts records into a topic by hand.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/limits.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/live_view.h"
#include "cli/status_text.h"
#include "door/http/target.h"

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kReadBytes = size_t{64} << 10;
// Of the lines of one request, unless one of them is longer.
constexpr size_t kLinesBytes = size_t{1} << 20;

struct Produce {
  std::string topic;
  std::string file;  // "", "-": stdin
  bool tombstones = false;
};

// Whole lines of a file, or of what somebody types or another program prints.
class Input {
 public:
  Input() = default;
  ~Input() {
    if (descriptor_ != STDIN_FILENO) close(descriptor_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  Result<void> open(const std::string& path) {
    if (path.empty() || path == "-") return {};
    name_ = path;
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ >= 0) return {};
    descriptor_ = STDIN_FILENO;
    return fail(ErrorCode::kIo, "cannot open {}: {}", path, errno_text(errno));
  }
  bool is_terminal() const { return isatty(descriptor_) == 1; }

  // The lines that have arrived, as many as make a request; waits for one. Empty: the end.
  Result<std::string> next();
  // Of the first line that next() has not given yet.
  int64_t line() const { return line_; }

 private:
  bool has_more_now() const;
  Result<void> read_some();

  int descriptor_ = STDIN_FILENO;
  std::string name_ = "the input";
  std::string buffer_;
  bool is_at_end_ = false;
  int64_t line_ = 1;
};

bool Input::has_more_now() const {
  pollfd question{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return poll(&question, 1, 0) > 0;
}

Result<void> Input::read_some() {
  auto size = buffer_.size();
  buffer_.resize(size + kReadBytes);
  auto count = read(descriptor_, buffer_.data() + size, kReadBytes);
  auto error = errno;
  buffer_.resize(size + static_cast<size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0 && error != EINTR)
    return fail(ErrorCode::kIo, "cannot read {}: {}", name_, errno_text(error));
  is_at_end_ = count == 0;
  return {};
}

Result<std::string> Input::next() {
  auto first_end = buffer_.find('\n');
  while (!is_at_end_ && buffer_.size() <= limits::kRecordBytesMax) {
    if (first_end != buffer_.npos && (buffer_.size() >= kLinesBytes || !has_more_now())) break;
    auto searched = buffer_.size();
    MR_TRY(read_some());
    if (first_end == buffer_.npos) first_end = buffer_.find('\n', searched);
  }
  auto size = buffer_.size();
  if (!is_at_end_ || size > kLinesBytes) {
    auto last_end = buffer_.rfind('\n', kLinesBytes - 1);
    if (last_end == buffer_.npos) last_end = first_end;
    size = std::min(last_end, size - 1) + 1;
  }
  if (size > limits::kRecordBytesMax)
    return fail(ErrorCode::kLimit, "line {}: a line has at most {}", line_,
                format_bytes(limits::kRecordBytesMax));
  auto lines = buffer_.substr(0, size);
  buffer_.erase(0, size);
  line_ += std::ranges::count(lines, '\n');
  if (!lines.empty() && lines.back() != '\n') ++line_;
  return lines;
}

// Adds up answers, and shows how far it is.
class Sum {
 public:
  explicit Sum(Session& session) : session_(session), view_(session.err()) {}

  void add(const Json& answer);
  void show_progress();
  int64_t records() const { return records_; }
  Result<void> print(const std::string& topic);

 private:
  struct Partition {
    int64_t records = 0;
    int64_t first = 0;
    int64_t last = 0;
  };
  Session& session_;
  LiveView view_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  int64_t records_ = 0;
  std::map<int64_t, Partition> partitions_;
};

void Sum::add(const Json& answer) {
  records_ += answer.at("records").get<int64_t>();
  for (const auto& part : answer.at("partitions")) {
    int64_t first = part.at("first_offset");
    int64_t end = part.at("end_offset");
    auto& sum = partitions_[part.at("partition").get<int64_t>()];
    if (sum.records == 0) sum.first = first;
    sum.records += end - first;
    sum.last = end - 1;
  }
}

void Sum::show_progress() {
  view_.show([this](const Terminal&) -> std::vector<std::string> {
    std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started_;
    auto rate = static_cast<double>(records_) / std::max(spent.count(), 0.001);
    return {fmt::format("{} records  {}", with_thousands(records_), rate_text(rate))};
  });
}

Result<void> Sum::print(const std::string& topic) {
  view_.clear();
  auto& out = session_.out();
  if (session_.format() == Format::kJson) {
    auto partitions = Json::array();
    for (const auto& [partition, sum] : partitions_)
      partitions.push_back({{"partition", partition},
                            {"records", sum.records},
                            {"first_offset", sum.first},
                            {"last_offset", sum.last}});
    return out.write(
        Json{{"topic", topic}, {"records", records_}, {"partitions", partitions}}.dump() + "\n");
  }
  MR_TRY(out.write(fmt::format("{} appended to {}\n", count_of(records_, "record"), topic)));
  if (records_ == 0) return {};
  std::vector<std::vector<Cell>> rows;
  for (const auto& [partition, sum] : partitions_)
    rows.push_back({{with_thousands(partition)},
                    {with_thousands(sum.records)},
                    {with_thousands(sum.first)},
                    {with_thousands(sum.last)}});
  return print_table(
      {{"PARTITION", true}, {"RECORDS", true}, {"FIRST OFFSET", true}, {"LAST OFFSET", true}}, rows,
      out.terminal(), out.emit());
}

// "lines 1 to 9".
std::string lines_text(int64_t first, int64_t last) {
  if (first == last) return fmt::format("line {}", with_thousands(first));
  return fmt::format("lines {} to {}", with_thousands(first), with_thousands(last));
}

// Says what became of the lines before `first`, and of those up to `last` whose request failed.
std::unexpected<Error> stopped(const Error& error, int64_t first, int64_t last) {
  bool is_refused = last < first || error.code() == ErrorCode::kInvalid ||
                    error.code() == ErrorCode::kLimit || error.code() == ErrorCode::kNotFound;
  auto text = error.message();
  if (text.ends_with('.')) text.pop_back();
  text += "; ";
  bool is_one = first == 2;
  if (first > 1) text += lines_text(1, first - 1) + (is_one ? " is" : " are") + " in the topic, ";
  if (!is_refused)
    text += lines_text(first, last) + " perhaps, all or none";
  else
    text += first == 1 ? "nothing was appended"
            : is_one   ? "nothing after it"
                       : "nothing after them";
  return std::unexpected(Error(error.code(), std::move(text)));
}

Result<void> produce_lines(Client& client, Input& input, const Produce& produce, Sum& sum) {
  for (;;) {
    int64_t first = input.line();
    auto lines = input.next();
    if (!lines) return stopped(lines.error(), first, first - 1);
    if (lines->empty()) return {};
    auto target = http::TargetBuilder("/v1/topics").piece(produce.topic).piece("records");
    target.parameter("first_line", std::to_string(first));
    if (produce.tombstones) target.parameter("tombstones", "1");
    auto answer = client.post(target.text(), *std::move(lines));
    if (!answer) return stopped(answer.error(), first, input.line() - 1);
    sum.add(Json::parse(answer->json()));
    if (!input.is_terminal()) sum.show_progress();
  }
}

Result<int> produce_records(Session& session, const Produce& produce) {
  Input input;
  MR_TRY(input.open(produce.file));
  auto client = MR_TRY(session.client_to_produce());
  // A topic that is not there is told before anything is typed.
  MR_TRY(client.get(http::TargetBuilder("/v1/topics").piece(produce.topic).text()));
  if (input.is_terminal()) session.note("one JSON object a line; Ctrl-D ends");
  Sum sum(session);
  auto produced = produce_lines(client, input, produce, sum);
  if (produced || sum.records() > 0) MR_TRY(sum.print(produce.topic));
  MR_TRY(session.out().flush());
  MR_TRY(std::move(produced));
  MR_TRY(client.close());
  return 0;
}

}  // namespace

void add_produce_command(Commands& commands, CLI::App* group) {
  auto produce = std::make_shared<Produce>();
  auto* app =
      commands.add(group, "produce", "Append records to a topic: JSON objects, one a line",
                   [produce](Session& session) { return produce_records(session, *produce); });
  app->add_option("TOPIC", produce->topic, "Its name")->required();
  app->add_option("-f,--file", produce->file, "Read them from this file; else from stdin")
      ->type_name("FILE");
  app->add_flag("--tombstones", produce->tombstones,
                "The objects name keys whose rows are gone: records without a value");
}

}  // namespace millrace::cli
