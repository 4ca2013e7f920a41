// SPDX-License-Identifier: Apache-2.0
#include "userspace/telemetry/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace shunt {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// What `log` writes to stderr.
std::string Logged(const std::function<void()>& log) {
  FlushLogs(absl::Seconds(30));
  ::testing::internal::CaptureStderr();
  log();
  FlushLogs(absl::Seconds(30));
  return ::testing::internal::GetCapturedStderr();
}

class LoggingTest : public ::testing::Test {
 protected:
  ~LoggingTest() override { ConfigureLogging(LogFormat::kText, 0); }
};

TEST_F(LoggingTest, ARecordIsOneLineWithThePlaceOfItsCaller) {
  EXPECT_THAT(Logged([] { LogInfo("serving", {{"services", 12}}); }),
              MatchesRegex("I[0-9]{4} [0-9:.]{15} +[0-9]+ logging_test.cc:[0-9]+] "
                           "\"serving\" services=12\n"));
}

TEST_F(LoggingTest, WarningsAndErrorsAreToldApart) {
  EXPECT_EQ(Logged([] { LogWarning("x"); })[0], 'W');
  EXPECT_EQ(Logged([] { LogError("x"); })[0], 'E');
}

TEST_F(LoggingTest, VerbosityDecidesWhatIsLogged) {
  const auto log = [] {
    LogVerbose(1, "one");
    LogVerbose(2, "two");
    LogVerbose(3, "three");
  };
  EXPECT_EQ(Logged(log), "");
  ConfigureLogging(LogFormat::kText, 2);
  const std::string text = Logged(log);
  EXPECT_THAT(text, HasSubstr("\"one\""));
  EXPECT_THAT(text, HasSubstr("\"two\""));
  EXPECT_THAT(text, Not(HasSubstr("\"three\"")));
  EXPECT_TRUE(LogsVerbose(2));
  EXPECT_FALSE(LogsVerbose(3));
}

TEST_F(LoggingTest, JsonTellsTheVerbosity) {
  ConfigureLogging(LogFormat::kJson, 4);
  const auto json = nlohmann::json::parse(Logged([] { LogVerbose(4, "planned"); }));
  EXPECT_EQ(json["v"], 4);
  EXPECT_EQ(json["msg"], "planned");
}

TEST_F(LoggingTest, TheFormatIsTextOrJson) {
  EXPECT_EQ(*ParseLogFormat("text"), LogFormat::kText);
  EXPECT_EQ(*ParseLogFormat("json"), LogFormat::kJson);
  EXPECT_EQ(ParseLogFormat("xml").status().message(), "\"xml\" is not text or json");
}

TEST_F(LoggingTest, AnExitingProcessWritesItsLastWords) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // the writer's thread must exist in the child
  EXPECT_EXIT(
      {
        LogError("last words");
        std::exit(3);
      },
      ::testing::ExitedWithCode(3), "last words");
}

}  // namespace
}  // namespace shunt
