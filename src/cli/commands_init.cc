// init.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/draft_files.h"
#include "infer/infer.h"

namespace millrace::cli {
namespace {

constexpr const char* kAddressDefault = "sample://randomuser/api/?results=100";

struct Init {
  std::string url;
  std::string name;
  std::string key;
  std::vector<std::string> headers;
  std::string dir = ".";
  bool yes = false;
};

// Asks on stderr, reads stdin.
class Questions {
 public:
  Questions(const Session& session, bool yes)
      : session_(session), yes_(yes), is_terminal_(isatty(STDIN_FILENO) == 1) {}

  // What was given; else the answer, or `usual` for an empty line or the input's end. `check` says
  // what is wrong with it: at a terminal it is asked again, else that is the error.
  template <class Check>
  Result<std::string> ask(const std::string& what, const std::string& given,
                          const std::string& usual, Check check) {
    bool asks = given.empty() && !yes_;
    while (true) {
      std::string answer = asks ? answer_to(what, usual) : given.empty() ? usual : given;
      Result<void> right = check(answer);
      if (right) return answer;
      if (!asks || !is_terminal_ || ended_) return std::unexpected(right.error());
      session_.complain(right.error().message());
    }
  }

 private:
  std::string answer_to(const std::string& what, const std::string& usual) {
    fmt::print(stderr, "{} {} ", what,
               paint("[" + usual + "]:", Look::kDim, session_.err().colour));
    std::string line;
    int c = std::getchar();
    for (; c != EOF && c != '\n'; c = std::getchar()) line += static_cast<char>(c);
    ended_ = c == EOF;
    if (!is_terminal_ || ended_) fmt::print(stderr, "\n");
    size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos) return usual;
    return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
  }

  const Session& session_;
  bool yes_;
  bool is_terminal_;
  bool ended_ = false;
};

void collect_fields(const nlohmann::ordered_json& schema, const std::string& path,
                    std::vector<std::string>& fields) {
  for (const auto& [name, field] : schema["properties"].items()) {
    auto at = path.empty() ? name : path + "." + name;
    if (field.contains("properties"))
      collect_fields(field, at, fields);
    else
      fields.push_back(at);
  }
}

Result<void> check_key(const infer::Findings& findings, const std::string& key) {
  std::vector<std::string> fields;
  collect_fields(findings.schema, "", fields);
  if (key.empty() || std::ranges::find(fields, key) != fields.end()) return {};
  auto meant = did_you_mean(key, fields);
  return fail(ErrorCode::kNotFound, "the items have no field '{}'{}", key,
              meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant));
}

// An address without its scheme is meant for https.
std::string whole_address(const std::string& address) {
  return infer::is_address(address) ? address : "https://" + address;
}

Result<int> run_init(Session& session, const Init& asked) {
  Questions questions(session, asked.yes);
  auto headers = MR_TRY(read_headers(asked.headers));
  std::optional<infer::Findings> findings;
  auto look = [&](const std::string& answer) -> Result<void> {
    std::vector<infer::Sample> samples;
    samples.push_back(MR_TRY(infer::take_sample(whole_address(answer), headers)));
    findings = MR_TRY(infer::look_at(samples, std::nullopt));
    return {};
  };
  auto answered = MR_TRY(questions.ask("Address of an API", asked.url, kAddressDefault, look));
  auto address = whole_address(answered);
  tell(session, *findings);

  auto path_for = [&](const std::string& name) {
    return (std::filesystem::path(asked.dir) / (name + ".yaml")).lexically_normal().string();
  };
  auto is_free_name = [&](const std::string& answer) -> Result<void> {
    if (infer::is_name(answer))
      return check_free({path_for(answer), schema_beside(path_for(answer))});
    return fail(ErrorCode::kInvalid,
                "a name is of lower-case letters, digits and _, at most 40, and begins with a "
                "letter: '{}' is not",
                excerpt(answer, 60));
  };
  auto name = MR_TRY(
      questions.ask("Name of the pipeline", asked.name, infer::name_for(address), is_free_name));
  auto guessed = findings->key ? path_text(findings->key->path) : "";
  auto is_field = [&](const std::string& answer) { return check_key(*findings, answer); };
  auto key = MR_TRY(questions.ask("Field that is the key", asked.key, guessed, is_field));

  infer::DraftOf draft{.name = name,
                       .address = address,
                       .headers = headers,
                       .from = address,
                       .schema_file = "",
                       .key = key == guessed && findings->key ? findings->key->path : keys_of(key)};
  MR_TRY(write_draft(session, *findings, draft, path_for(name), schema_beside(path_for(name))));
  MR_TRY(session.out().write(fmt::format(
      "millrace up {0} --once\nmillrace sql 'SELECT * FROM {1} LIMIT 10'\nmillrace test {0}\n",
      path_for(name), infer::table_of(*findings, draft))));
  return 0;
}

}  // namespace

void add_init_command(Commands& commands) {
  auto asked = std::make_shared<Init>();
  auto* app =
      commands.add(nullptr, "init", "Write a pipeline file for an API, asking for its address",
                   [asked](Session& session) { return run_init(session, *asked); });
  app->add_option("--url", asked->url, "The API's address")->type_name("URL");
  add_header_option(*app, asked->headers);
  app->add_option("--name", asked->name, "The pipeline's name, and its file's")->type_name("NAME");
  app->add_option("--key", asked->key, "The field that is the key (a.b for b in a)")
      ->type_name("PATH");
  app->add_option("--dir", asked->dir, "Where to write (default: here)")->type_name("DIR");
  app->add_flag("--yes", asked->yes, "Ask nothing: take what is guessed");
}

}  // namespace millrace::cli
