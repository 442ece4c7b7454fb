#include <benchmark/benchmark.h>

#include "source/source.h"

namespace millrace::source {
namespace {

// Users a second as a source gets them, at page sizes of 1 to 5,000.
void fetch_sample(benchmark::State& state) {
  spec::HttpSpec spec;
  spec.url.value = fmt::format("sample://randomuser/api/?seed=bench&results={}", state.range(0));
  spec.url.shown = spec.url.value;
  spec.page.emplace();
  Fetcher fetcher(spec);
  Cursor cursor;
  size_t bytes = 0;
  for (auto _ : state) {
    ++cursor.page;
    auto response = fetcher.fetch(request_for(spec, cursor).value(), {});
    if (!response) return state.SkipWithError(response.error().message().c_str());
    bytes += response->body.size();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
BENCHMARK(fetch_sample)->Arg(1)->Arg(100)->Arg(5'000);

}  // namespace
}  // namespace millrace::source
