// SPDX-License-Identifier: Apache-2.0
#ifndef SHUNT_TELEMETRY_LOG_RECORD_H_
#define SHUNT_TELEMETRY_LOG_RECORD_H_

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace shunt {

enum class LogFormat : uint8_t { kText, kJson };
enum class LogSeverity : uint8_t { kInfo, kWarning, kError };

// The value of a field: a boolean, a number or a text. A duration is written
// as Go and Kubernetes write it ("1.5s"), a status as "CODE: message".
class LogValue {
 public:
  // Implicit on purpose: a call reads LogInfo("serving", {{"services", 12}}).
  // NOLINTBEGIN(google-explicit-constructor)
  LogValue(bool value) : value_(value) {}
  template <std::signed_integral T>
  LogValue(T value) : value_(static_cast<int64_t>(value)) {}
  template <std::unsigned_integral T>
  LogValue(T value) : value_(static_cast<uint64_t>(value)) {}
  LogValue(double value) : value_(value) {}
  LogValue(std::string value) : value_(std::move(value)) {}
  LogValue(std::string_view value) : value_(std::string(value)) {}
  LogValue(const char* value) : value_(std::string(value)) {}
  LogValue(absl::Duration value) : value_(absl::FormatDuration(value)) {}
  LogValue(const absl::Status& value)
      : value_(value.ToString(absl::StatusToStringMode::kWithNoExtraData)) {}
  // NOLINTEND(google-explicit-constructor)

  using Variant = std::variant<bool, int64_t, uint64_t, double, std::string>;
  const Variant& variant() const { return value_; }

 private:
  Variant value_;
};

struct LogField {
  std::string_view key;  // a literal, camelCase as in Kubernetes
  LogValue value;
};

// One event, before it has a format.
struct LogRecord {
  LogSeverity severity = LogSeverity::kInfo;
  int verbosity = 0;  // of an info record
  absl::Time time;
  int thread_id = 0;
  std::string_view file;  // a base name
  unsigned line = 0;
  std::string_view message;
  std::vector<LogField> fields;
};

// One line without the newline at its end: whatever the strings hold, it has no
// other control character than spaces, and is valid UTF-8.
//
//   I1123 07:00:00.123456       1 agent.cc:12] "serving" services=12 node="a"
//
// as Kubernetes' component-base writes structured text (times are UTC), or
//
//   {"ts":1763881200123.456,"level":"info","caller":"agent.cc:12","msg":"serving","v":0,"services":12,"node":"a"}
//
// as it writes JSON, with ts in milliseconds since 1970. Ours is the field
// `level`: component-base tells only errors apart, by their lack of "v".
std::string FormatRecord(LogFormat format, const LogRecord& record);

}  // namespace shunt

#endif  // SHUNT_TELEMETRY_LOG_RECORD_H_
