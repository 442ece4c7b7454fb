#include "source/answer_reader.h"

#include "source/answer_format.h"
#include "source/link_header.h"
#include "source/next_address.h"

namespace millrace::source {

// What stands where the response says how to ask for the next page; empty where nothing does.
Result<std::string> AnswerReader::cursor_in(spec::Format format) {
  const auto& page = spec_.http.page;
  if (!page || page->by != spec::PageBy::kCursor) return "";
  auto name = fmt::format("'{}', which leads to the next page", fmt::join(page->from, "."));
  if (format != spec::Format::kJson)
    return fail(ErrorCode::kInvalid, "{}, is looked for in JSON, and the response is {}", name,
                format == spec::Format::kCsv ? "CSV" : "JSON lines");
  auto found = MR_TRY_IN(json_.field(page->from), name + ", cannot be read");
  return found.value_or("");
}

Result<AnswerReader::Answer> AnswerReader::read(const Response& response) {
  Answer answer;
  if (!response.has_no_items) {
    auto body = read_body(response);
    // Another try may bring a whole response, or another page than one of an error.
    if (!body) return fail(ErrorCode::kCorrupt, "{}", body.error().message());
    answer = *std::move(body);
  }
  if (spec_.http.page && spec_.http.page->by == spec::PageBy::kLink)
    answer.next = next_link(response.links);
  answer.next = MR_TRY(next_address(spec_.http, response.url, answer.next));
  return answer;
}

Result<AnswerReader::Answer> AnswerReader::read_body(const Response& response) {
  auto format = MR_TRY(format_of(spec_.format, response.content_type, response.body));
  auto answer = MR_TRY(read_items(response, format));
  answer.next = MR_TRY(cursor_in(format));
  return answer;
}

Result<AnswerReader::Answer> AnswerReader::read_items(const Response& response,
                                                      spec::Format format) {
  Answer answer;
  switch (format) {
    case spec::Format::kCsv: {
      auto rows = MR_TRY_IN(csv_.split(response.body), "the response cannot be read");
      answer.items = rows.texts;
      answer.bad = rows.bad;
      return answer;
    }
    case spec::Format::kJsonLines:
      sql::split_lines(response.body, lines_);
      answer.items = lines_;
      return answer;
    default:
      auto items = json_.split(response.body, spec_.items);
      if (!items && items.error().code() == ErrorCode::kNotFound)
        return fail(ErrorCode::kNotFound, "{}; check the source's {}", items.error().message(),
                    spec_.items.empty() ? "url" : "`items` and url");
      answer.items = MR_TRY(items);
      return answer;
  }
}

}  // namespace millrace::source
