#include "source/answer_reader.h"

#include "source/answer_format.h"
#include "source/link_header.h"
#include "source/request.h"

namespace millrace::source {

std::string AnswerReader::reference_in(const Response& response) {
  if (!spec_.http.page) return "";
  if (spec_.http.page->by == spec::PageBy::kLink) return std::string(next_link(response.links));
  if (spec_.http.page->by != spec::PageBy::kCursor) return "";
  return fields_.read(response.body, spec_.http.page->from).value_or("");
}

Result<AnswerReader::Answer> AnswerReader::read(const Response& response) {
  auto answer = read_items(response);
  // Another try may bring a whole response, or another page than one of an error.
  if (!answer) return fail(ErrorCode::kCorrupt, "{}", answer.error().message());
  answer->next = MR_TRY(next_address(spec_.http, response.url, reference_in(response)));
  return answer;
}

Result<AnswerReader::Answer> AnswerReader::read_items(const Response& response) {
  Answer answer;
  switch (MR_TRY(format_of(spec_.format, response.content_type, response.body))) {
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
      answer.items = MR_TRY(json_.split(response.body, spec_.items));
      return answer;
  }
}

}  // namespace millrace::source
