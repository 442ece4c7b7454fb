#include "base/logger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace millrace {
namespace {

using testing::EndsWith;
using testing::MatchesRegex;

std::vector<std::string> lines_of(LogFormat format, const std::function<void(Logger&)>& log) {
  std::vector<std::string> lines;
  Logger logger(format, LogLevel::kInfo, [&](std::string_view line) { lines.emplace_back(line); });
  log(logger);
  return lines;
}

TEST(Logger, JsonFieldsHaveTheirTypes) {
  auto lines = lines_of(LogFormat::kJson, [](Logger& logger) {
    logger.warning("it waits", {{"node", "users"},
                                {"records", int64_t{1} << 60},
                                {"records_per_s", 2.5},
                                {"is_last", true},
                                {"error", "no \"route\"\n to\\host"}});
  });
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0],
              EndsWith(R"("level":"warning","message":"it waits","node":"users",)"
                       R"("records":1152921504606846976,"records_per_s":2.5,"is_last":true,)"
                       R"("error":"no \"route\"\u000a to\\host"})"
                       "\n"));
}

TEST(Logger, JsonTimesAreUtc) {
  auto lines = lines_of(LogFormat::kJson, [](Logger& logger) { logger.info("up"); });
  EXPECT_THAT(lines, testing::ElementsAre(MatchesRegex(
                         "\\{\"time\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                         "\\.[0-9]{3}Z\",\"level\":\"info\",\"message\":\"up\"\\}\n")));
}

TEST(Logger, BytesThatAreNoTextMakeNoBrokenLine) {
  auto log = [](Logger& logger) {
    logger.error("a\x1b[2Jb\rc", {{"error", "\xff\xfe"}, {"key", "Теодора \xc2\x9b"}});
  };
  EXPECT_THAT(lines_of(LogFormat::kJson, log),
              testing::ElementsAre(EndsWith("\"message\":\"a\\u001b[2Jb\\u000dc\",\"error\":"
                                            "\"\\ufffd\\ufffd\",\"key\":\"Теодора \xc2\x9b\"}\n")));
  EXPECT_THAT(lines_of(LogFormat::kText, log),
              testing::ElementsAre(EndsWith("a [2Jb c  error=    key=Теодора  \n")));
}

TEST(Logger, LinesOfManyThreadsAreWhole) {
  constexpr size_t kThreads = 4;
  constexpr size_t kLines = 200;
  auto lines = lines_of(LogFormat::kText, [](Logger& logger) {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kThreads; ++i)
      threads.emplace_back([&] {
        for (size_t line = 0; line < kLines; ++line) logger.info("a", {{"b", "c"}});
      });
  });
  EXPECT_EQ(lines.size(), kThreads * kLines);
  EXPECT_THAT(lines, testing::Each(EndsWith("I a  b=c\n")));
}

}  // namespace
}  // namespace millrace
