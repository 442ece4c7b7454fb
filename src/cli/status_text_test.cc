#include "cli/status_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace millrace::cli {
namespace {

using Json = nlohmann::ordered_json;

Json status(int written) {
  return {{"pipeline", "orders"},
          {"data_dir", "./data"},
          {"running", true},
          {"uptime_ms", 61'000},
          {"sources",
           {{{"name", "api"},
             {"topic", "orders"},
             {"state", "waiting"},
             {"error", "cannot fetch\nit"},
             {"records_per_s", 2.25},
             {"pages", 3},
             {"items", 1'500},
             {"records", 1'499},
             {"filtered", 1},
             {"dead_letters", 0},
             {"redriven", 0}}}},
          {"topics", Json::array()},
          {"tables",
           {{{"name", "shop.orders"},
             {"topic", "orders"},
             {"state", "running"},
             {"error", ""},
             {"records_per_s", 1'234.4},
             {"records_in", 1'499},
             {"written", written},
             {"filtered", 0},
             {"dead_letters", 9},
             {"redriven", 0},
             {"waiting", 0},
             {"removed", 0},
             {"bytes", 2'048}}}}};
}

std::string summary(const Json& json) {
  std::string text;
  EXPECT_TRUE(print_summary(json, {}, [&](std::string_view lines) -> Result<void> {
    text += lines;
    return {};
  }));
  return text;
}

TEST(StatusText, TheSummaryIsASum) {
  EXPECT_EQ(summary(status(1'490)),
            "SOURCE  PAGES  ITEMS  = RECORDS  + FILTERED  + DEAD LETTERS\n"
            "api         3  1,500      1,499           1               0\n"
            "\n"
            "TABLE           IN  = WRITTEN  + FILTERED  + DEAD LETTERS  + WAITING\n"
            "shop.orders  1,499      1,490           0               9          0\n"
            "\n"
            "every record is accounted for\n");
}

TEST(StatusText, ASumThatIsWrongIsSaid) {
  EXPECT_TRUE(is_balanced(status(1'490)));
  EXPECT_FALSE(is_balanced(status(1'488)));
  EXPECT_THAT(summary(status(1'488)), testing::HasSubstr("2 records are not accounted for"));
  EXPECT_THAT(summary(status(1'489)), testing::HasSubstr("1 record is not accounted for"));
}

TEST(StatusText, RecordsThatATableMissedAreSaidAndCounted) {
  auto json = status(1'480);
  json["tables"][0]["removed"] = 10;
  EXPECT_TRUE(is_balanced(json));
  EXPECT_THAT(summary(json),
              testing::HasSubstr("shop.orders: retention removed 10 records of orders before this "
                                 "table read them\n"));
}

TEST(StatusText, SpansHaveTwoUnits) {
  EXPECT_EQ(span_text(900), "0s");
  EXPECT_EQ(span_text(59'999), "59s");
  EXPECT_EQ(span_text(200'000), "3m 20s");
  EXPECT_EQ(span_text(7'500'000), "2h 5m");
  EXPECT_EQ(span_text(273'600'000), "3d 4h");
}

}  // namespace
}  // namespace millrace::cli
