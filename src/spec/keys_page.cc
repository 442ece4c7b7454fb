#include "spec/choice.h"
#include "spec/keys.h"
#include "spec/names.h"

namespace millrace::spec {
namespace {

using namespace std::chrono_literals;

Value<ParameterIn> parameter_in() {
  return choice<ParameterIn>({{"query", ParameterIn::kQuery}, {"body", ParameterIn::kBody}});
}

Object<PageSpec> page_keys() {
  return {
      "page",
      "How an API is asked for one page after another. See [Pages](http.md#pages).",
      {
          key("by", &PageSpec::by,
              choice<PageBy>({{"number", PageBy::kNumber},
                              {"offset", PageBy::kOffset},
                              {"cursor", PageBy::kCursor},
                              {"link", PageBy::kLink}}),
              "`number`: a parameter counts pages. `offset`: a parameter counts items. `cursor`: "
              "each response says what leads to the next page. `link`: its Link header does."),
          key("parameter", &PageSpec::parameter, word("parameter"),
              "The parameter's name. Left out: `page` by number, `offset` by offset; by cursor the "
              "response has the whole address of the next page."),
          key("in", &PageSpec::in, parameter_in(),
              "Where the parameters stand: in the address, or in the `body`, as a path."),
          key("first", &PageSpec::first, whole_number(0, INT64_MAX),
              "By number: the number of the first page."),
          key("size", &PageSpec::size, optional(whole_number(1, INT64_MAX)),
              "By number or offset: how many items a full page has. By number, a page with fewer "
              "is asked for again until it is full, or there is one behind it."),
          key("size_parameter", &PageSpec::size_parameter, word("parameter"),
              "The parameter that asks for `size`. Left out: the address says it, or the API."),
          key("from", &PageSpec::from, path(),
              "By cursor: where in a response stands what leads to the next page."),
      }};
}

Object<SinceSpec> since_keys() {
  return {
      "since",
      "Asks only for items that are new or changed, by a column that grows. See "
      "[Only what is new](http.md#only-what-is-new).",
      {
          key("column", &SinceSpec::column, path(),
              "Where in an item the column is: a timestamp or a number.")
              .required(),
          key("parameter", &SinceSpec::parameter, word("parameter"),
              "The parameter that gets the largest value seen.")
              .required(),
          key("in", &SinceSpec::in, parameter_in(),
              "Where it stands: in the address, or in the `body`, as a path."),
          key("format", &SinceSpec::format,
              choice<SinceFormat>({{"as_is", SinceFormat::kAsIs},
                                   {"timestamp", SinceFormat::kTimestamp},
                                   {"date", SinceFormat::kDate},
                                   {"unix", SinceFormat::kUnix},
                                   {"unix_ms", SinceFormat::kUnixMs}}),
              "How the API wants it: as items have it, or as a time in another form."),
          key("first", &SinceSpec::first, word("value"),
              "What the first request asks from. Left out: it has no such parameter."),
          key("overlap", &SinceSpec::overlap, duration(0ms),
              "How far before the largest value to ask again, for APIs that answer only what lies "
              "after it, or where items appear late. What is known already is left out."),
      }};
}

}  // namespace

std::string PageSpec::parameter_name() const {
  if (!parameter.empty()) return parameter;
  return by == PageBy::kOffset ? "offset" : "page";
}

Value<PageSpec> page() {
  return object(page_keys());
}
Value<SinceSpec> since() {
  return object(since_keys());
}

}  // namespace millrace::spec
