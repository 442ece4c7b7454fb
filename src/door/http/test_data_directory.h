// A data directory with a source, a topic, a table and dead letters, made by a real run.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/logger.h"
#include "door/http/api.h"
#include "io/io.h"
#include "pipeline/instance.h"
#include "spec/spec.h"

namespace millrace::http {

inline constexpr int kRecords = 60;

inline constexpr std::string_view kPipelineFile = R"(
name: people
sources:
  people_api:
    http: {url: "sample://randomuser/api/?results=60&seed=api"}
    items: results
    schema: people.schema.json
    to: people
    select: SELECT login.uuid AS id, gender, email
topics:
  people: {key: id, partitions: 3}
tables:
  shop.people:
    primary_key: id
    from: SELECT * FROM people
    expect: {is_woman: "gender = 'female'"}
)";

inline constexpr std::string_view kSchema = R"({
  "type": "object",
  "properties": {
    "gender": {"type": "string"},
    "email": {"type": "string"},
    "login": {"type": "object", "properties": {"uuid": {"type": "string", "format": "uuid"}}}
  }
})";

class DataDirectoryTest : public testing::Test {
 protected:
  static std::string make_folder() {
    auto path = testing::TempDir() + "millrace-http-XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    return path;
  }

  void SetUp() override {
    ASSERT_TRUE(io::write_file_atomic(folder_ + "/people.yaml", kPipelineFile));
    ASSERT_TRUE(io::write_file_atomic(folder_ + "/people.schema.json", kSchema));
    auto loaded = spec::load(folder_ + "/people.yaml", spec::process_variables());
    ASSERT_TRUE(loaded) << loaded.error().message();
    for (const auto& problem : loaded->problems) ADD_FAILURE() << problem.message;
    auto instance = pipeline::Instance::open({.data_dir = data_dir_}, logger_, clock_);
    ASSERT_TRUE(instance) << instance.error().message();
    instance_ = *std::move(instance);
    auto started = instance_->start(std::move(loaded->pipeline), true);
    ASSERT_TRUE(started) << started.error().message();
    ASSERT_TRUE(instance_->wait_until_finished({}));
    api_.emplace(*instance_, "1.2.3");
  }

  void TearDown() override {
    api_.reset();
    instance_.reset();
    EXPECT_TRUE(io::remove_tree(folder_));
  }

  const std::string folder_ = make_folder();
  const std::string data_dir_ = folder_ + "/data";
  Logger logger_{LogFormat::kText, LogLevel::kError};
  io::SystemClock clock_;
  std::unique_ptr<pipeline::Instance> instance_;
  std::optional<Api> api_;
};

}  // namespace millrace::http
