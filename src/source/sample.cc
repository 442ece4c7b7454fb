#include "source/sample.h"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <optional>
#include <vector>

#include "base/text.h"
#include "base/uuid.h"
#include "source/json.h"
#include "source/sample_user.h"
#include "source/url.h"

namespace millrace::source {

namespace {

constexpr std::string_view kVersion = "1.4";
constexpr int64_t kResultsMax = 5'000;
constexpr size_t kUserBytes = 1'300;  // hardly a user is longer

struct Query {
  int64_t results = 1;
  int64_t page = 1;
  std::string seed;
  std::optional<bool> men;  // nullopt: both
  std::vector<const Nation*> nations;
  std::bitset<32> left_out;  // by place in sample_fields()
  bool info = true;
};

Result<int64_t> parse_number(std::string_view name, std::string_view text, int64_t max) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > max) {
    return fail(ErrorCode::kInvalid, "'{}={}' is not a number from 1 to {}", name, excerpt(text),
                max);
  }
  return number;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return result;
}

// "a,b" -> the places of a and b among `known`.
Result<std::vector<size_t>> parse_list(std::string_view name, std::string_view text,
                                       const std::vector<std::string>& known) {
  std::vector<size_t> places;
  while (!text.empty()) {
    auto end = std::min(text.find(','), text.size());
    auto word = lower(text.substr(0, end));
    auto found = std::ranges::find(known, word);
    if (found == known.end()) {
      auto near = did_you_mean(word, known);
      return fail(ErrorCode::kInvalid, "'{}' of '{}' is not one of {}{}", excerpt(word), name,
                  fmt::join(known, ", "),
                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
    }
    places.push_back(static_cast<size_t>(found - known.begin()));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return places;
}

Result<> parse_nations(std::string_view text, Query& query) {
  std::vector<std::string> codes;
  for (const auto& nation : nations()) codes.push_back(lower(nation.code));
  for (auto place : MR_TRY(parse_list("nat", text, codes))) {
    query.nations.push_back(&nations()[place]);
  }
  return {};
}

Result<> parse_fields(std::string_view name, std::string_view text, Query& query) {
  std::vector<std::string> names;
  for (const auto& field : sample_fields()) names.emplace_back(field.name);
  auto places = MR_TRY(parse_list(name, text, names));
  if (places.empty()) return {};
  if (name == "inc") query.left_out.set();
  for (auto place : places) query.left_out.set(place, name == "exc");
  return {};
}

Result<> parse_parameter(std::string_view name, std::string_view value, Query& query) {
  if (name == "results") {
    query.results = MR_TRY(parse_number(name, value, kResultsMax));
  } else if (name == "page") {
    query.page = MR_TRY(parse_number(name, value, INT64_MAX));
  } else if (name == "seed") {
    if (!is_utf8(value)) return fail(ErrorCode::kInvalid, "the seed is not UTF-8");
    query.seed = value;
  } else if (name == "gender") {
    if (value != "male" && value != "female") {
      return fail(ErrorCode::kInvalid, "'gender={}' is neither male nor female", excerpt(value));
    }
    query.men = value == "male";
  } else if (name == "nat") {
    return parse_nations(value, query);
  } else if (name == "inc" || name == "exc") {
    return parse_fields(name, value, query);
  } else if (name == "noinfo") {
    query.info = false;
  } else if ((name == "format" || name == "fmt") && lower(value) != "json") {
    return fail(ErrorCode::kUnsupported, "'{}={}': this API answers in json only", name,
                excerpt(value));
  }
  return {};
}

Result<> check_place(const Url& url) {
  auto host = url.part(CURLUPART_HOST);
  if (host != "randomuser") {
    return fail(ErrorCode::kNotFound,
                "there is no sample API '{}'; the one there is: sample://randomuser/api/",
                excerpt(host));
  }
  auto path = url.part(CURLUPART_PATH);
  while (path.ends_with('/')) path.pop_back();
  if (path.empty() || path == "/api" || path == fmt::format("/api/{}", kVersion)) return {};
  if (path.starts_with("/api/") && path.find_first_not_of("0123456789.", 5) == path.npos) {
    return fail(ErrorCode::kUnsupported, "the sample API is like version {} only", kVersion);
  }
  return fail(ErrorCode::kNotFound, "the sample API has no '{}'; try sample://randomuser/api/",
              excerpt(path));
}

Result<Query> parse_query(const Url& url) {
  Query query;
  auto parameters = url.query();
  // What `inc` takes in, `exc` leaves out, in whatever order they are given.
  std::ranges::stable_partition(parameters,
                                [](const auto& parameter) { return parameter.first == "inc"; });
  for (const auto& [name, value] : parameters) MR_TRY(parse_parameter(name, value, query));
  if (query.nations.empty()) {
    for (const auto& nation : nations()) query.nations.push_back(&nation);
  }
  if (query.seed.empty()) {
    auto random = to_string(random_uuid());
    std::erase(random, '-');
    query.seed = random.substr(16);
  }
  return query;
}

void write_user(uint64_t seed, const Query& query, std::string& to) {
  Random random(seed);
  const auto* nation = random.pick(query.nations);
  bool man = random.below(2) == 0;
  SampleUser user{.random = random, .nation = nation, .man = query.men.value_or(man)};
  auto fields = sample_fields();
  to += '{';
  auto begin = to.size();
  for (size_t i = 0; i < fields.size(); ++i) {
    auto mark = to.size();
    if (mark != begin) to += ',';
    to += '"';
    to += fields[i].name;
    to += "\":";
    fields[i].write(user, to);
    if (query.left_out[i]) to.resize(mark);
  }
  to += '}';
}

void write_response(const Query& query, std::string& to) {
  auto seed = hash_text(query.seed);
  seed = split_mix(seed) ^ static_cast<uint64_t>(query.page);
  auto page_seed = split_mix(seed);
  to.reserve(to.size() + static_cast<size_t>(query.results) * kUserBytes);
  to += R"({"results":[)";
  for (int64_t i = 0; i < query.results; ++i) {
    if (i > 0) to += ',';
    write_user(split_mix(page_seed), query, to);
  }
  to += ']';
  if (query.info) {
    to += R"(,"info":{"seed":)";
    append_json_string(to, query.seed);
    fmt::format_to(std::back_inserter(to), R"(,"results":{},"page":{},"version":"{}"}})",
                   query.results, query.page, kVersion);
  }
  to += '}';
}

}  // namespace

Result<> append_sample_response(std::string_view url, std::string& to) {
  auto parsed = MR_TRY(Url::parse(url));
  if (parsed.part(CURLUPART_SCHEME) != "sample") {
    return fail(ErrorCode::kInvalid, "a sample's URL begins with sample://");
  }
  MR_TRY(check_place(parsed));
  auto query = MR_TRY(parse_query(parsed));
  write_response(query, to);
  return {};
}

Result<std::string> sample_response(std::string_view url) {
  std::string response;
  MR_TRY(append_sample_response(url, response));
  return response;
}

}  // namespace millrace::source
