#include "cli/live_lines.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;
using testing::ElementsAre;
using testing::StartsWith;

Json source(const std::string& name, int64_t records, const std::string& error = "") {
  return {{"name", name},           {"state", error.empty() ? "running" : "waiting"},
          {"error", error},         {"records", records},
          {"records_per_s", 100.0}, {"dead_letters", 0}};
}

Json table(const std::string& name, int64_t waiting, const std::string& error = "") {
  return {{"name", name},
          {"state", error.empty() ? "running" : "stopped"},
          {"error", error},
          {"records_in", 1'500'000},
          {"waiting", waiting},
          {"written", 1'499'000},
          {"records_per_s", 12'345.0},
          {"dead_letters", 9}};
}

Json status(std::vector<Json> sources, std::vector<Json> tables) {
  return {{"pipeline", "orders"},
          {"uptime_ms", 61'000},
          {"sources", std::move(sources)},
          {"tables", std::move(tables)}};
}

Terminal terminal(size_t width, size_t height = 24) {
  use_unicode_widths();
  return {.is_terminal = true, .width = width, .height = height, .can_redraw = true};
}

TEST(LiveLines, ALineForEachNode) {
  EXPECT_THAT(
      live_lines(status({source("api", 1'500'000)}, {table("shop.orders", 700)}), terminal(90)),
      ElementsAre("orders 1m 1s  STATE       RECORDS      RATE  LAG    WRITTEN  DEAD LETTERS",
                  "api           running   1,500,000     100/s                             0",
                  "shop.orders   running   1,499,300  12,345/s  700  1,499,000             9"));
}

TEST(LiveLines, ANodeThatWaitsSaysWhyInItsLine) {
  auto lines =
      live_lines(status({source("api", 7,
                                "cannot fetch http://a.b/c: the server answered 503;\nwill be "
                                "tried again")},
                        {table("shop.orders", 700,
                               "more than 1% of the last 1,000 records were refused, "
                               "for instance rule has_total")}),
                 terminal(60));
  EXPECT_THAT(lines, ElementsAre(StartsWith("orders 1m 1s  STATE"),
                                 "api           waiting   the server answered 503;\\nwill be t…",
                                 "shop.orders   stopped   more than 1% of th…ce rule has_total"));
}

TEST(LiveLines, NarrowTerminalsGetFewerColumnsAndShorterNames) {
  EXPECT_THAT(live_lines(status({source("random_users", 1'500'000)},
                                {table("spark_streams.created_users", 700)}),
                         terminal(40)),
              ElementsAre("orders 1m 1s         STATE     LAG  DEAD",
                          "random_users         running           0",
                          "spark_str…ted_users  running   700     9"));
}

TEST(LiveLines, NoLineIsWiderThanTheTerminal) {
  auto json = status({source("api", 1'500'000), source("другой_источник", 5, "нет соединения")},
                     {table("shop.orders_of_all_customers", 70'000)});
  for (size_t width = 1; width < 200; ++width)
    for (const auto& line : live_lines(json, terminal(width)))
      EXPECT_LE(display_width(line), std::max<size_t>(width, 20)) << width << ": " << line;
}

TEST(LiveLines, OfTooManyNodesThoseThatWaitAreShown) {
  std::vector<Json> sources;
  for (int i = 0; i < 10; ++i) sources.push_back(source(fmt::format("s{}", i), i));
  sources[8] = source("s8", 8, "no route");
  EXPECT_THAT(live_lines(status(sources, {}), terminal(80, 6)),
              ElementsAre(StartsWith("orders"), StartsWith("s0 "), StartsWith("s1 "),
                          StartsWith("s8 "), "… 7 more"));
  EXPECT_EQ(live_lines(status(sources, {}), terminal(80, 12)).size(), 11u);
  EXPECT_EQ(live_lines(status(sources, {}), terminal(80, 2)).size(), 3u);
}

}  // namespace
}  // namespace millrace::cli
