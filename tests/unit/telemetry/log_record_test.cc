// SPDX-License-Identifier: Apache-2.0
#include "userspace/telemetry/log_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace shunt {
namespace {

using namespace std::string_literals;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;
using ::testing::Not;

LogRecord Record(std::string_view message, std::vector<LogField> fields = {}) {
  return {.severity = LogSeverity::kInfo,
          .time = absl::FromUnixMicros(1763881200123456),  // 2025-11-23 07:00:00.123456 UTC
          .thread_id = 42,
          .file = "agent.cc",
          .line = 12,
          .message = message,
          .fields = std::move(fields)};
}

nlohmann::json Json(const LogRecord& record) {
  return nlohmann::json::parse(FormatRecord(LogFormat::kJson, record));
}

// Everything that could end a line, steer a terminal or is no UTF-8.
const std::string kHostile = "a\"b\\c\nd\r\te\0f\x1b[31m\x7f\xc2\x9bx\xff\xc3("s;

TEST(TextLog, LooksAsComponentBaseWritesIt) {
  const LogRecord record = Record("serving", {{"services", 12}, {"node", "a b"}, {"ok", true}});
  EXPECT_EQ(
      FormatRecord(LogFormat::kText, record),
      R"(I1123 07:00:00.123456      42 agent.cc:12] "serving" services=12 node="a b" ok=true)");
}

TEST(TextLog, BeginsWithTheLetterOfItsSeverity) {
  LogRecord record = Record("x");
  record.severity = LogSeverity::kWarning;
  EXPECT_EQ(FormatRecord(LogFormat::kText, record)[0], 'W');
  record.severity = LogSeverity::kError;
  EXPECT_EQ(FormatRecord(LogFormat::kText, record)[0], 'E');
}

TEST(TextLog, WritesDurationsAndStatusesAsPeopleReadThem) {
  const LogRecord record = Record(
      "x", {{"took", absl::Milliseconds(1500)}, {"err", absl::NotFoundError("no cgroup \"x\"")}});
  EXPECT_THAT(FormatRecord(LogFormat::kText, record),
              HasSubstr(R"(took="1.5s" err="NOT_FOUND: no cgroup \"x\"")"));
}

TEST(TextLog, NumbersKeepTheirSignAndSize) {
  const LogRecord record = Record("x", {{"low", std::numeric_limits<int64_t>::min()},
                                        {"high", std::numeric_limits<uint64_t>::max()},
                                        {"half", 0.5}});
  EXPECT_THAT(FormatRecord(LogFormat::kText, record),
              HasSubstr("low=-9223372036854775808 high=18446744073709551615 half=0.5"));
}

TEST(Log, IsOnePrintableLineWhateverTheStringsHold) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = FormatRecord(format, Record(kHostile, {{"value", kHostile}}));
    for (const char c : line) {
      EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << line;
    }
    EXPECT_THAT(line, Not(HasSubstr("\xc2\x9b"))) << "a C1 control is as good as an escape";
  }
}

TEST(JsonLog, HasTheFieldsOfComponentBase) {
  const LogRecord record = Record("serving", {{"services", 12}});
  EXPECT_EQ(
      FormatRecord(LogFormat::kJson, record),
      R"({"ts":1763881200123.456,"level":"info","caller":"agent.cc:12","msg":"serving","v":0,"services":12})");
}

TEST(JsonLog, AnErrorHasNoVerbosity) {
  LogRecord record = Record("x");
  record.severity = LogSeverity::kError;
  EXPECT_EQ(Json(record)["level"], "error");
  EXPECT_FALSE(Json(record).contains("v"));
}

TEST(JsonLog, QuotesNewlinesAndNulsSurviveTheRoundTrip) {
  const std::string text = "a\"b\\c\nd\0e\x1b"s;
  const nlohmann::json json = Json(Record(text, {{"value", text}}));
  EXPECT_EQ(json["msg"], text);
  EXPECT_EQ(json["value"], text);
}

TEST(JsonLog, InvalidUtf8BecomesTheReplacementCharacter) {
  EXPECT_EQ(Json(Record("a\xff"
                        "b"))["msg"],
            "a\xef\xbf\xbd"
            "b");
}

TEST(JsonLog, StaysJsonWithoutANumberForInfinity) {
  EXPECT_EQ(Json(Record("x", {{"value", std::numeric_limits<double>::infinity()}}))["value"],
            "inf");
}

TEST(JsonLog, AFieldCannotReplaceTheMessage) {
  EXPECT_EQ(Json(Record("right", {{"msg", "wrong"}}))["msg"], "right");
}

}  // namespace
}  // namespace shunt
